/**
 * Run as a process of its own by the attribution test: two children and the process handlers the app installs.
 * The first argument says what goes wrong. Prints one JSON line; exits with 70 when nobody is to blame.
 */
import { systemTime } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { crashOwner } from '../../supervisors/attribution.ts';
import type { ChildContext, ChildSpec } from '../../supervisors/child-spec.ts';
import { rootSupervisor } from '../../supervisors/supervisor.ts';
import { Tree } from '../../supervisors/tree.ts';

const fault = process.argv[2] ?? '';
const onUnhandled = (error: unknown): void => {
  if (!crashOwner(error)) process.exit(70);
};
process.on('uncaughtException', onUnhandled);
process.on('unhandledRejection', onUnhandled);

const strays: string[] = [];
const tree = new Tree({
  time: systemTime(),
  random: seededRandom(1),
  onEvent: (event) => {
    if (event.type === 'stray-error') strays.push(event.id);
  },
});

function misbehave(context: ChildContext): void {
  const boom = new Error('boom');
  if (fault === 'timer')
    setTimeout(() => {
      throw boom;
    }, 1);
  if (fault === 'promise')
    void (async () => {
      await Promise.resolve();
      throw boom;
    })();
  if (fault === 'immediate')
    setImmediate(() => {
      throw boom;
    });
  if (fault === 'late') {
    context.exit({ error: new Error('gone already') });
    void Promise.reject(boom);
  }
}

const worker = (id: string): ChildSpec => ({
  id,
  restart: 'permanent',
  shutdown: 'brutal',
  type: 'worker',
  start: (context) => {
    if (id === 'guilty' && context.previousExit === undefined) setTimeout(() => misbehave(context), 1);
    return { stop: () => {}, kill: () => {}, describe: () => ({ state: 'idle' }) };
  },
});
const root = rootSupervisor(
  { id: 'root', strategy: 'one_for_one', intensity: 5, children: [worker('innocent'), worker('guilty')] },
  tree,
);
root.start();
if (fault === 'nobody')
  setTimeout(() => {
    throw new Error('nobody’s');
  }, 1);
setTimeout(() => {
  const children = root.node().children.map(({ id, restarts, lastError }) => ({ id, restarts, lastError }));
  console.log(JSON.stringify({ children, strays }));
}, 60);
