/** The commands that look at a journal's past or carry it elsewhere, as data. */
import { CONFIG, type CommandSpec, DATA_DIR, JSON_FLAG, QUIET } from './cli-spec.ts';

export const PAST_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'replay',
    args: '[key=value…]',
    arity: [0, 50],
    summary: 'rebuild, step through and compare past moments; what if',
    detail:
      'Reads the journal and writes nothing. Without flags it replays the journaled events through the machines and shows every actor as it was. A moment is a row number, a time with its zone, or a position such as BTCUSDT/3 (its last row). See docs/REPLAY.md.',
    flags: [
      { name: 'to', value: 'MOMENT', summary: 'the moment that is rebuilt', default: 'the last row' },
      { name: 'from', value: 'MOMENT', summary: 'with --step: the first row', default: 'the --to row' },
      { name: 'verify', summary: 'compare every row with its replay, and the hash chain' },
      { name: 'machines', summary: 'run rows of older machine versions, too, and show where they part' },
      { name: 'step', summary: 'row by row: by keys on a terminal, else all from --from to --to' },
      { name: 'actor', value: 'ACTOR', summary: 'with --step: only its rows; also a position, as BTCUSDT/3' },
      { name: 'diff', value: 'MOMENT', summary: 'what was different at that moment' },
      {
        name: 'against',
        value: 'venue',
        summary: 'hold the journal against what the venue shows; only reads',
      },
      { name: 'plan', value: 'FILE', summary: 'with --against venue: write a repair plan to approve' },
      { name: 'apply', value: 'FILE', summary: 'leave what was approved in that plan for the run' },
      {
        name: 'what-if',
        value: 'key=value',
        summary:
          'the recorded inputs under a changed configuration, trade by trade; more key=value may follow',
      },
      DATA_DIR,
      CONFIG,
      JSON_FLAG,
      QUIET,
    ],
    examples: [
      'bulkhead replay --verify',
      'bulkhead replay --to 1500 --diff 1400',
      'bulkhead replay --step --actor BTCUSDT/3',
      'bulkhead replay --against venue --plan repair.json',
      'bulkhead replay --what-if risk.maxTotalExposure=0.5 position.trailing.stepPercent=0.5',
    ],
    exits: { 1: 'with --against venue: they differ' },
  },
  {
    name: 'backup',
    summary: 'seal the journal as it stands now and keep it elsewhere',
    detail:
      'Also while a run trades: with an embedded store the run takes it, with its own key. Sealed with age (a passphrase or a key, see docs/BACKUP.md), restored into a scratch store and compared before it counts.',
    flags: [
      {
        name: 'place',
        value: 'PLACE',
        summary: 'a folder, or s3://BUCKET/FOLDER',
        default: 'backup.to of the configuration',
      },
      { name: 'list', summary: 'only show the backups that there are' },
      { name: 'verify', value: 'NAME', summary: 'only restore that one into a scratch store, and compare' },
      { name: 'no-verify', summary: 'do not restore what was written' },
      { name: 'new-key', value: 'FILE', summary: 'only write a new key to seal and open backups with' },
      DATA_DIR,
      CONFIG,
      JSON_FLAG,
    ],
    examples: [
      'bulkhead backup --new-key backup.key',
      'BULKHEAD_BACKUP_KEY_FILE=backup.key bulkhead backup --place /mnt/backups',
      'bulkhead backup --list --json',
    ],
  },
  {
    name: 'compact',
    summary: 'remove the journal\u2019s oldest rows',
    detail:
      'Also while a run trades; with an embedded store the run does it. What living actors and recovery need stays, and so do trades, orders, fills and the wallet in short form. The journal then begins at a sealed anchor, from which "bulkhead replay --verify" goes. With retention.archive the rows are first put where the backups are. See docs/BACKUP.md.',
    flags: [
      {
        name: 'keep-days',
        value: 'DAYS',
        summary: 'rows younger than this stay',
        default: 'retention.keepMs of the configuration',
      },
      { name: 'dry-run', summary: 'only say what would go' },
      DATA_DIR,
      CONFIG,
      JSON_FLAG,
    ],
    examples: ['bulkhead compact --keep-days 90 --dry-run', 'bulkhead compact'],
  },
  {
    name: 'restore',
    args: 'BACKUP',
    arity: [1, 1],
    summary: 'a backup into an empty store',
    detail:
      'BACKUP is a file, a name in the place of the backups (also of an archive of removed rows, to look at), or "latest". The store must be empty: a new --data-dir, database or account. The journal gets a new installation name, so that no order id comes again; the next run compares itself with the venue and goes on.',
    flags: [
      {
        name: 'to',
        value: 'SEQ|TIME',
        summary: 'only up to this row number or time, such as 2025-05-04T12:00:00Z',
        default: 'all of it',
      },
      {
        name: 'place',
        value: 'PLACE',
        summary: 'a folder, or s3://BUCKET/FOLDER',
        default: 'backup.to of the configuration',
      },
      DATA_DIR,
      CONFIG,
      JSON_FLAG,
    ],
    examples: [
      'bulkhead restore latest --place /mnt/backups --data-dir new',
      'bulkhead restore bulkhead-main-20250504T120000Z-81230.age --to 81000 --data-dir new',
    ],
  },
];
