/** What a finished run tells of its positions, and whether stories, statistics and the account agree. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { EntryStatistics } from '../../src/app/results/entry-statistics.ts';
import { add, type Decimal, eq, sub, sum } from '../../src/core/decimal.ts';
import { cli, jsonLines } from '../support/cli-process.ts';
import { writeSmallRecording } from '../support/small-recording.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

interface Line {
  readonly n: number;
  readonly at: number;
  readonly what: string;
  readonly numbers: Record<string, unknown>;
}
type Amounts = Record<'price' | 'slippage' | 'gross' | 'fees' | 'funding' | 'net', Decimal>;
interface Explained {
  readonly story: { lines: Line[]; split: Amounts; over: boolean; actor: string } | null;
  readonly desk: { state: string; context: { counts: Record<string, number> } } | null;
}
type Group = Omit<Amounts, 'price'> & { group: string; trades: number; wins: number };

const same = (actual: Decimal, expected: Decimal, what: string): void =>
  assert.ok(eq(actual, expected), `${what}: ${actual} is not ${expected}`);

describe('a finished run, told', () => {
  const dataDir = makeTempDir('explain');
  let trades: Record<string, unknown>[] = [];
  before(async () => {
    const recording = await writeSmallRecording(path.join(dataDir, 'recording'));
    const args = ['run', '--recording', recording, '--speed', 'max', '--until-end', '--json'];
    const end = await cli([...args, '--data-dir', dataDir]);
    assert.equal(end.code, 0, end.stderr.slice(-2_000));
    const exported = await cli(['export', 'trades', '--format', 'json', '--data-dir', dataDir]);
    trades = jsonLines(exported).filter(({ reason }) => reason !== 'open');
    assert.ok(trades.length > 1, `${trades.length} trades`);
  });
  after(() => removeTempDir(dataDir));

  const explain = async (position: string): Promise<Explained> => {
    const end = await cli(['explain', position, '--json', '--data-dir', dataDir]);
    assert.equal(end.code, 0, end.stderr);
    return jsonLines(end)[0] as unknown as Explained;
  };

  test('every story adds up to its trade, to the last digit', async () => {
    for (const trade of trades.slice(0, 4)) {
      const { story } = await explain(String(trade.actor));
      assert.ok(story?.over);
      const { price, slippage, gross, fees, funding, net } = story.split;
      same(add(price, slippage), gross, 'price + slippage');
      same(gross, trade.grossPnl as Decimal, 'gross');
      same(net, trade.netPnl as Decimal, 'net');
      same(add(sub(gross, fees), funding), net, 'gross − fees + funding');
      const slips = story.lines.flatMap(({ numbers }) => (numbers.slippage as Decimal) ?? []);
      same(sum(slips), slippage, 'Σ slippage of the fills');
    }
  });

  test('a story begins with the approval, ends flat, and its lines are in the order of the journal', async () => {
    const { story } = await explain(String(trades[0]?.actor));
    const lines = story?.lines ?? [];
    assert.match(
      lines[0]?.what ?? '',
      /^risk approved (long|short) .* stop .*: .+, sized by .*volatility ×[\d.]+ \(ATR/,
    );
    const order = lines.map(({ n }) => n);
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
    const texts = lines.map(({ what }) => what).join('\n');
    assert.match(texts, /→ sent entry-1: (BUY|SELL) .* MARKET/);
    assert.match(texts, /→ sent stop-1: .* STOP_MARKET at .*, reduce-only/);
    assert.match(texts, /entry-1 (bought|sold) .* at /);
    const filled = (side: string) =>
      sum(
        lines
          .filter(({ what, numbers }) => / (bought|sold) /.test(what) && numbers.side === side)
          .map(({ numbers }) => numbers.quantity as Decimal),
      );
    same(filled('BUY'), filled('SELL'), 'bought and sold');
  });

  test('a symbol names its newest life, and its desk; the text says the same', async () => {
    const symbol = String(trades[0]?.symbol);
    const { story, desk } = await explain(symbol);
    assert.match(story?.actor ?? '', new RegExp(`^position/${symbol}/BOTH/\\d+$`));
    assert.ok((desk?.context.counts.signals ?? 0) > 0);
    const text = (await cli(['explain', symbol, '--data-dir', dataDir])).stdout;
    assert.match(text, new RegExp(`^${symbol} desk: `));
    assert.match(
      text,
      /Net( so far)? .*: price .*, slippage .*, fees -.*, funding .*; unprotected for \d+ ms/,
    );
  });

  test('entries: asked are approved and refused, and every refusal has its rule and its numbers', async () => {
    const [stats] = jsonLines(await cli(['stats', '--json', '--data-dir', dataDir]));
    const { entries } = stats as unknown as { entries: EntryStatistics };
    assert.equal(entries.asked, entries.approved + entries.refused);
    assert.ok(entries.approved >= trades.length && (entries.resizedBy.volatility ?? 0) > 0);
    for (const { rule, entries: times, symbols, last } of entries.refusedBy) {
      assert.ok(rule !== '' && last.detail !== '' && times > 0);
      assert.equal(
        Object.values(symbols).reduce((total, each) => total + each, 0),
        times,
      );
    }
    const text = (await cli(['stats', '--data-dir', dataDir])).stdout;
    assert.match(text, /\d+ entries asked for: \d+ approved, \d+ refused, \d+ denied/);
  });

  test('a position that never was is an error that says what there is', async () => {
    const end = await cli(['explain', 'NOPEUSDT', '--data-dir', dataDir]);
    assert.equal(end.code, 66);
    assert.match(end.stderr, /knows no position NOPEUSDT[\s\S]*\[NOT_FOUND\]/);
  });

  test('the groups of every grouping sum to the trades', async () => {
    const [stats] = jsonLines(await cli(['stats', '--json', '--data-dir', dataDir]));
    const { total, by } = stats as unknown as { total: Group; by: Record<string, Group[]> };
    assert.deepEqual(Object.keys(by), ['reason', 'side', 'hour', 'symbol']);
    assert.equal(total.trades, trades.length);
    for (const [column, name] of [
      ['netPnl', 'net'],
      ['grossPnl', 'gross'],
      ['fees', 'fees'],
      ['funding', 'funding'],
    ] as const)
      same(total[name], sum(trades.map((trade) => trade[column] as Decimal)), name);
    for (const groups of Object.values(by)) {
      assert.equal(
        groups.reduce((count, { trades: n }) => count + n, 0),
        total.trades,
      );
      for (const name of ['net', 'gross', 'slippage', 'fees', 'funding'] as const)
        same(sum(groups.map((group) => group[name])), total[name], name);
    }
    const table = (await cli(['stats', '--by', 'side', '--data-dir', dataDir])).stdout;
    assert.match(table, /^side +trades +won +net/);
    assert.equal(table.includes('symbol'), false);
  });
});
