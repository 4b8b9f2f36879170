/** Stepping, differences, the venue, repair plans and what-if, over a demo's journal that was just made. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import type { Io, ReplayMoment, ReplayOptions } from '../../src/app/cli/io.ts';
import { machineRegistry } from '../../src/app/compose/compose.ts';
import type { VenueDifference } from '../../src/app/replay/against-venue.ts';
import type { StepView } from '../../src/app/replay/moment-text.ts';
import { applyPlan, type Past, replayPast } from '../../src/app/replay/past.ts';
import { repairSteps } from '../../src/app/replay/repair-plan.ts';
import { walk } from '../../src/app/replay/stepper.ts';
import { comparedTrades, type WhatIf } from '../../src/app/replay/what-if.ts';
import type { RunIdentity } from '../../src/app/run/run-identity.ts';
import { configSchema } from '../../src/config/schema.ts';
import { systemTime } from '../../src/core/clock.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { Moments } from '../../supervisors/moments.ts';
import { fakeIo } from '../support/fake-io.ts';
import { BUSY_CONFIG, rowsOf, startRun } from '../support/system-harness.ts';
import { tempDir } from '../support/temp.ts';

const MARKET = { seed: 6, symbols: ['BTCUSDT', 'ETHUSDT'], days: 3 };
/** Half of the market: the what-if must stop there, too. */
const UNTIL = Date.UTC(2025, 0, 2, 14);

let store: MemoryJournal;
let identity: RunIdentity;
let rows: readonly JournalRow[];

before(async () => {
  const market = new SyntheticMarketData(MARKET);
  const database = new MemoryDatabase();
  const run = await startRun({
    market,
    database,
    onStep: ({ at }, _system) => {
      if (at >= UNTIL) run.driver.stop();
    },
  });
  await run.drive();
  rows = rowsOf(database);
  const { paper, strategy, risk, entry, position, breakers } = BUSY_CONFIG;
  identity = {
    market: { source: 'synthetic', seed: MARKET.seed, recording: null, symbols: MARKET.symbols },
    ...{ paper, strategy, limits: { risk, entry, position, breakers }, instruments: market.instruments() },
  };
  store = new MemoryJournal({ account: 'test', clock: systemTime().clock, database });
  await store.open();
});

function optionsOf(more: Partial<ReplayOptions>, config: object = {}): ReplayOptions {
  const none = { to: undefined, from: undefined, actor: undefined, diff: undefined, plan: undefined };
  const off = { verify: false, machines: false, step: false, againstVenue: false, apply: undefined };
  const base = { config: configSchema.parse({ account: 'test', ...config }), json: true, quiet: true };
  return { ...base, ...none, ...off, whatIf: [], ...more } as unknown as ReplayOptions;
}

async function past(more: Partial<ReplayOptions>, io: Partial<Io> = {}) {
  const out = fakeIo({ time: systemTime(), cwd: '/', ...io });
  const asked = { store, identity, options: optionsOf(more), io: out } as unknown as Past;
  const code = await replayPast(asked);
  const lines = out.out().trimEnd().split('\n');
  return { code, lines, json: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

/** The first that ended. */
const position = (): string =>
  rows.find(({ actor, final }) => actor.startsWith('position/') && final)?.actor ?? '';
const shortOf = (actor: string): string => `${actor.split('/')[1]}/${actor.split('/')[3]}`;

describe('step', () => {
  test('a span row by row, each with what it changed', async () => {
    const { json, code } = await past({ from: { n: 100 }, to: { n: 130 } });
    const steps = json() as unknown as StepView[];
    assert.equal(code, 0);
    assert.deepEqual(
      steps.map(({ row }) => [row.n, row.hash]),
      rows.slice(99, 130).map(({ n, hash }) => [n, hash]),
    );
  });

  test('one position from its first row to its last', async () => {
    const own = rows.filter(({ actor }) => actor === position());
    const { json } = await past({ step: true, actor: shortOf(position()) });
    const steps = json() as unknown as StepView[];
    assert.deepEqual(
      steps.map(({ row }) => row.seq),
      own.map(({ seq }) => seq),
    );
    const filled = steps.find(({ row }) => row.event.type === 'ORDER_FILLED');
    const paths = filled?.changes.map(({ path: where }) => where) ?? [];
    assert.ok(paths.includes('context.quantity'), paths.join());
  });

  test('by keys: forward, back, along one actor, and the whole state', async () => {
    async function* pressed(keys: string[]) {
      yield* keys;
    }
    const walked = async (keys: string[]) => {
      const io = fakeIo({ keys: () => pressed(keys) });
      await walk(new Moments(store), { from: 50, to: 50, actor: undefined }, io);
      return io.out();
    };
    const seen = (text: string) => [...text.matchAll(/^row (\d+) /gm)].map(([, n]) => Number(n));
    assert.deepEqual(
      seen(await walked(['n', 'right', 'p', 'x', 'p', 'p', 'q', 'n'])),
      [50, 51, 52, 51, 50, 49],
    );
    const actor = rows[49]?.actor;
    const along = seen(await walked(['N', 'P']));
    assert.ok(along.slice(1).every((n) => rows[n - 1]?.actor === actor));
    assert.equal(along[2], 50);
    assert.match(await walked(['w']), /"context"/);
  });
});

describe('diff', () => {
  test('two moments: who began, ended and changed, and where', async () => {
    const born = rows.find(({ actor, seq }) => actor === position() && seq === 1)?.n ?? 0;
    const over = rows.find(({ actor, final }) => actor === position() && final)?.n ?? 0;
    assert.ok(born > 0 && over > born);
    const between = async (to: ReplayMoment, other: ReplayMoment) => {
      const [all] = (await past({ to, diff: other })).json();
      return all as unknown as { from: number; to: number; actors: { actor: string; what: string }[] };
    };
    const whatOf = async (to: number, other: number) =>
      (await between({ n: to }, { n: other })).actors.find(({ actor }) => actor === position())?.what;
    assert.equal(await whatOf(born, born - 1), 'began');
    assert.equal(await whatOf(over, over - 1), 'ended');
    assert.equal(await whatOf(over - 1, born), 'changed');
    const own = await between({ position: shortOf(position()) }, { n: over });
    assert.deepEqual([own.from, own.to, own.actors], [over, over, []], 'a position is its last row');
    await assert.rejects(between({ position: 'BTCUSDT/999' }, { n: 1 }), { code: 'NOT_FOUND' });
  });
});

describe('against the venue', () => {
  test('the simulated one agrees at any row where nothing is under way', async () => {
    const { code, json } = await past({ againstVenue: true });
    assert.deepEqual([code, json()[0]?.differences], [0, []]);
  });

  test('a position that the journal does not know is a step of the plan, and only words are left for the run', async (t) => {
    const dir = tempDir(t);
    const file = path.join(dir, 'plan.json');
    const foreign: VenueDifference = { symbol: 'ETHUSDT', kind: 'foreign', detail: 'the venue holds 2' };
    const quantity: VenueDifference = { symbol: 'BTCUSDT', kind: 'quantity', detail: 'it holds less' };
    const steps = repairSteps([foreign, quantity], []);
    assert.deepEqual(
      steps.map((step) => [step.do, 'approved' in step ? step.approved : 'nothing to approve']),
      [
        ['adopt', false],
        ['run', 'nothing to approve'],
      ],
    );
    await past({ againstVenue: true, plan: file });
    const plan = JSON.parse(readFileSync(file, 'utf8')) as { n: number; steps: unknown[] };
    assert.deepEqual([plan.n, plan.steps], [rows.length, []]);
    const dataDir = path.join(dir, 'data');
    mkdirSync(dataDir);
    const options = optionsOf({}, { data: { dir: dataDir } });
    const apply = (changed: object) => {
      writeFileSync(file, JSON.stringify({ ...plan, ...changed }));
      return applyPlan(async () => store, options, fakeIo({ cwd: dir }), file);
    };
    const requests = () => readdirSync(path.join(dataDir, 'requests'));
    await apply({ steps });
    assert.throws(requests, 'nothing was approved');
    const [first, second] = steps;
    await apply({ steps: [{ ...first, approved: true }, second] });
    const [name = ''] = requests();
    const request = JSON.parse(readFileSync(path.join(dataDir, 'requests', name), 'utf8')) as object;
    assert.partialDeepStrictEqual(request, {
      command: { kind: 'adopt', symbol: 'ETHUSDT' },
      row: { n: rows.length, hash: rows.at(-1)?.hash },
    });
    assert.equal((await store.head()).n, rows.length, 'no row was written');
    const again = async (): Promise<string> => {
      const io = fakeIo({ cwd: dir });
      await applyPlan(async () => store, { ...options, json: false }, io, file);
      return io.out();
    };
    assert.match(await again(), /asked for it before: adopt ETHUSDT \(no run has taken it up yet\)\.\nStart/);
    assert.deepEqual(requests(), [name], 'and is left once');
    const answered = (outcome: string): void => {
      rmSync(path.join(dataDir, 'requests', name), { force: true });
      const answer = path.join(dataDir, 'requests', name.replace('.json', '.answer'));
      writeFileSync(answer, JSON.stringify({ outcome, text: 'as it is' }));
    };
    answered('accepted');
    assert.match(await again(), /before: adopt ETHUSDT \(as it is\)\.\nNothing is left to be done\./);
    answered('refused');
    assert.match(
      await again(),
      /^Asked for: adopt ETHUSDT\. Start the run/,
      'what was refused may be tried again',
    );
    await assert.rejects(apply({ hash: 'of another' }), { code: 'DATA_INVALID' });
    await assert.rejects(apply({ account: 'other' }), { code: 'DATA_INVALID' });
    await assert.rejects(apply({ steps: [{ do: 'rm -rf', approved: true }] }), { code: 'DATA_INVALID' });
  });

  test('a reconciliation breaker that is still open although all agrees may be released', async () => {
    const moments = new Moments(store, machineRegistry(identity, identity.instruments).registry);
    const actors = await moments.actors(rows.length, 'alive');
    const open = actors.map((each) => ({
      ...each,
      actor: 'breaker/reconciliation',
      value: 'halted',
      state: 'halted',
    }));
    assert.equal(repairSteps([], open.slice(0, 1))[0]?.do, 'release');
    const finding: VenueDifference = { symbol: '', kind: 'quantity', detail: 'x' };
    assert.ok(repairSteps([finding], open.slice(0, 1)).every((step) => step.do !== 'release'));
  });
});

describe('what if', () => {
  const ask = async (...whatIf: string[]): Promise<WhatIf> =>
    (await past({ whatIf })).json()[0] as unknown as WhatIf;

  test('a change of nothing gives the journal\u2019s own trades, one by one', async () => {
    const { against, trades, before: was, after: is } = await ask('entry.coolDownMs=60000');
    assert.equal(against, 'the journal');
    assert.ok(trades.length > 3);
    assert.ok(trades.every(({ kind }) => kind === 'same'));
    assert.equal(was, is);
  });

  test('a change is told trade by trade, and the sums with it', async () => {
    const {
      trades,
      before: was,
      after: is,
    } = await ask('entry.coolDownMs=7200000', 'position.pyramid.enabled=false');
    const kinds = new Set(trades.map(({ kind }) => kind));
    assert.ok(kinds.has('only before'), [...kinds].join());
    assert.notEqual(was, is);
    assert.ok(trades.every(({ before: one, after: other }) => one !== null || other !== null));
  });

  test('what was changed in between counts from that moment on, as in the journal', async () => {
    const market = new SyntheticMarketData(MARKET);
    const database = new MemoryDatabase();
    const calmer = configSchema.parse({
      ...BUSY_CONFIG,
      entry: { ...BUSY_CONFIG.entry, coolDownMs: 7_200_000 },
    });
    let changedN = 0;
    const run = await startRun({
      ...{ market, database },
      onStep: ({ at }, { runtime, unheard }) => {
        if (at >= UNTIL) run.driver.stop();
        if (changedN > 0 || at < UNTIL - 12 * 3_600_000) return;
        changedN = run.writer.durableN;
        for (const message of unheard({ config: calmer, version: 2, telling: 'x' })) runtime.tell(message);
      },
    });
    await run.drive();
    const journal = new MemoryJournal({ account: 'test', clock: systemTime().clock, database });
    await journal.open();
    const lease = await journal.acquireLease('harness', 60_000);
    const { risk, entry, position, breakers } = calmer;
    // Of the newest start.
    const newest = { ...identity, limits: { risk, entry, position, breakers } };
    const imagine = async (): Promise<WhatIf> => {
      const io = fakeIo({ time: systemTime(), cwd: '/' });
      const options = optionsOf({ whatIf: [`risk.maxLeverage=${BUSY_CONFIG.risk.maxLeverage}`] });
      await replayPast({ store: journal, identity: newest, options, io } as unknown as Past);
      return JSON.parse(io.out()) as WhatIf;
    };
    assert.match(
      (await imagine()).against,
      /the unchanged configuration/,
      'calmer all along, it traded otherwise',
    );
    for (const [i, config] of [BUSY_CONFIG, calmer].entries()) {
      const json = JSON.stringify(config);
      const author = { by: 'ann', channel: 'cli', why: 'calmer', request: `r${i}`, at: 1 };
      const version = { version: i + 1, n: i * changedN, config: json, source: json, diff: '[]', ...author };
      await journal.addConfigVersion(lease, version);
    }
    const { against, trades } = await imagine();
    assert.equal(against, 'the journal');
    assert.ok(trades.length > 3 && trades.every(({ kind }) => kind === 'same'));
  });

  test('a key that is none, and a value that is not allowed, are said so', async () => {
    await assert.rejects(ask('entry.coolDown=1'), { code: 'USAGE', message: /entry\.coolDownMs/ });
    await assert.rejects(ask('log.level=info'), { code: 'USAGE' });
    await assert.rejects(ask('entry.coolDownMs=soon'), { code: 'CONFIG_INVALID' });
  });

  test('trades are matched by symbol and opening', () => {
    const trade = (symbol: string, openedAt: string, netPnl: string) => ({ symbol, openedAt, netPnl });
    const one = trade('A', '2025-01-01T00:00:00.000Z', '1');
    const other = trade('B', '2025-01-01T01:00:00.000Z', '1');
    const changes = comparedTrades(
      [one, other],
      [{ ...one, netPnl: '2' }, trade('A', '2025-01-01T02:00:00.000Z', '3')],
    );
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ['changed', 'only before', 'only after'],
    );
  });
});
