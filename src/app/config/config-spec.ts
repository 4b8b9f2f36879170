/** `bulkhead config …` as data. */
import { CONFIG, type CommandSpec, DATA_DIR, JSON_FLAG } from '../cli/cli-spec.ts';

export const CONFIG_COMMAND: CommandSpec = {
  name: 'config',
  args: 'show|versions|diff|set|rollback|reload [\u2026]',
  arity: [1, 101],
  summary: 'the configuration in force, its versions, and changing it while a run trades',
  detail:
    'show [PART OF A KEY]; versions [COUNT]; diff TO, or diff FROM TO; set KEY=VALUE\u2026; rollback VERSION; reload reads the file again. A change is a version in the store, with who, when and why, and is refused as a whole where a key is wrong or cannot change while a run lasts. Without a run it is what the next start goes by. See docs/configuration.md.',
  flags: [
    { name: 'reason', value: 'WHY', summary: 'why it is changed; set and rollback need it' },
    DATA_DIR,
    CONFIG,
    JSON_FLAG,
  ],
  examples: [
    'bulkhead config show risk',
    'bulkhead config set risk.maxTotalExposure=0.5 risk.maxLeverage=3 --reason "calmer"',
    'bulkhead config versions',
    'bulkhead config diff 3 5',
    'bulkhead config rollback 3 --reason "as it was"',
  ],
  exits: { 0: 'done', 1: 'the run refused it' },
};
