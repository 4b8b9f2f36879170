import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPortfolioMachine, type PortfolioContext } from '../../machines/portfolio.ts';
import { riskJudge } from '../../src/risk/learning.ts';
import { DEFAULT_LIMITS } from '../../src/risk/limits.ts';
import { entry, INSTRUMENT, MachineBench, told } from '../support/machine-bench.ts';

const POSITION = 'position/BTCUSDT/BOTH/1';

const tradeOf = (netPnl: string) => ({
  symbol: 'BTCUSDT',
  direction: 'long',
  netPnl,
  quantity: '1',
  entryPrice: '100',
  openedAt: 1_000,
  closedAt: 2_000,
});

describe('portfolio', () => {
  const portfolio = (wallet = '1000') =>
    new MachineBench(createPortfolioMachine(riskJudge), {
      wallet,
      limits: DEFAULT_LIMITS,
      equityBreakers: ['breaker/drawdown'],
      tradeBreakers: ['breaker/consecutive-losses'],
    });
  const context = (bench: MachineBench) => bench.context<PortfolioContext>();
  const ask = (bench: MachineBench, symbol = 'BTCUSDT') =>
    bench.send('ASSESS', {
      entry: entry({ symbol }),
      instrument: { ...INSTRUMENT, symbol },
      from: `entry/${symbol}`,
    });
  const expose = (bench: MachineBench, more: Record<string, unknown> = {}) =>
    bench.send('EXPOSURE', {
      actor: POSITION,
      symbol: 'BTCUSDT',
      direction: 'long',
      notional: '200',
      quantity: '2',
      entryPrice: '100',
      unknown: false,
      ...more,
    });
  const answer = (bench: MachineBench) => told(bench)[0]?.[1].type;

  test('an approval reserves its notional until the position speaks for itself', () => {
    const bench = portfolio();
    ask(bench);
    assert.equal(answer(bench), 'APPROVED');
    assert.equal(context(bench).reservations.r1?.notional, '100');
    ask(bench);
    assert.equal(answer(bench), 'REFUSED', 'the reservation counts as held');
    expose(bench);
    assert.deepEqual(context(bench).reservations, {});
    bench.send('POSITION_CLOSED', { actor: POSITION, trade: tradeOf('-3'), reason: 'stop' });
    assert.deepEqual(context(bench).exposures, {});
    assert.deepEqual(
      told(bench).map(([to, event]) => [to, event.type]),
      [
        ['breaker/consecutive-losses', 'TRADE_CLOSED'],
        ['breaker/drawdown', 'EQUITY'],
      ],
    );
  });

  test('positions that close at the same instant count once: the breakers hear one equity, and the peak stays true', () => {
    const bench = portfolio();
    const second = { actor: 'position/ETHUSDT/BOTH/1', symbol: 'ETHUSDT' };
    expose(bench);
    expose(bench, second);
    bench.send('MARK', { prices: { BTCUSDT: 110, ETHUSDT: 110 } });
    assert.equal(context(bench).peakEquity, '1040');
    const realise = (symbol: string, balance: string) =>
      bench.send('WALLET_CHANGED', { balance, delta: '20', reason: 'REALIZED_PNL', symbol });
    realise('BTCUSDT', '1020');
    realise('ETHUSDT', '1040');
    assert.equal(context(bench).equity, '1040');
    const equities = () =>
      told(bench).flatMap(([, event]) => (event.type === 'EQUITY' ? [[event.equity, event.peak]] : []));
    bench.send('POSITION_CLOSED', { actor: POSITION, trade: tradeOf('20'), reason: 'stop' });
    assert.deepEqual(equities(), []);
    bench.send('POSITION_CLOSED', { ...second, trade: tradeOf('20'), reason: 'stop' });
    assert.deepEqual(equities(), [['1040', '1040']]);
  });

  test('a price that falls between a profit in the wallet and its position’s word counts it once', () => {
    const bench = portfolio();
    expose(bench);
    bench.send('MARK', { prices: { BTCUSDT: 200 } });
    const equity = () => [context(bench).equity, context(bench).peakEquity];
    assert.deepEqual(equity(), ['1200', '1200']);
    bench.send('WALLET_CHANGED', {
      balance: '1200',
      delta: '200',
      reason: 'REALIZED_PNL',
      symbol: 'BTCUSDT',
    });
    bench.send('MARK', { prices: { BTCUSDT: 200 } });
    assert.deepEqual(equity(), ['1200', '1200'], 'not 1400');
    expose(bench, { quantity: '0', notional: '0' });
    bench.send('MARK', { prices: { BTCUSDT: 200 } });
    assert.deepEqual(equity(), ['1200', '1200']);
    // A profit that is told after its exit has no word to wait for.
    expose(bench);
    bench.send('WALLET_CHANGED', {
      balance: '1100',
      delta: '-100',
      reason: 'REALIZED_PNL',
      symbol: 'BTCUSDT',
    });
    bench.send('MARK', { prices: { BTCUSDT: 90 } }, 15_000);
    assert.equal(context(bench).equity, '1080');
  });

  test('an entry confirmed just before a breaker opened is called back when it is heard of', () => {
    const bench = portfolio();
    bench.send('CONFIRM', { actor: POSITION, symbol: 'BTCUSDT' });
    bench.send('BREAKER_CHANGED', { breaker: 'breaker/daily-loss', state: 'halted', cause: 'loss' });
    expose(bench, { quantity: '0' });
    assert.equal(answer(bench), 'ABORT_ENTRY');
    expose(bench);
    assert.deepEqual(told(bench), [], 'what is filled keeps its stop and its plan');
  });

  describe('a half-open breaker', () => {
    const halfOpen = (more: Record<string, unknown> = {}) => {
      const bench = portfolio();
      bench.send('BREAKER_CHANGED', { breaker: 'win-rate', state: 'half-open', cause: 'losses', ...more });
      return bench;
    };
    const reason = (bench: MachineBench) => {
      const [, event] = told(bench)[0] ?? [];
      return event?.type === 'REFUSED' ? JSON.stringify(event.refusals) : event?.type;
    };
    const waits = /win-rate is half-open: entry\/BTCUSDT is its one trial/;

    test('lets one entry through, and the next when that one is over or never was', () => {
      const bench = halfOpen();
      ask(bench);
      assert.equal(reason(bench), 'APPROVED');
      ask(bench, 'ETHUSDT');
      assert.match(String(reason(bench)), waits, 'set aside counts');
      expose(bench, { quantity: '0' });
      ask(bench, 'ETHUSDT');
      assert.match(String(reason(bench)), waits, 'sent counts');
      expose(bench);
      ask(bench, 'ETHUSDT');
      assert.match(String(reason(bench)), waits, 'open counts');
      bench.send('POSITION_CLOSED', { actor: POSITION, trade: null, reason: 'never filled' });
      ask(bench, 'ETHUSDT');
      assert.equal(reason(bench), 'APPROVED');
      ask(bench);
      assert.match(String(reason(bench)), /entry\/ETHUSDT is its one trial/);
    });

    test('does not count what was open before, and lets the trial itself grow', () => {
      const bench = portfolio();
      const other = { actor: 'position/ETHUSDT/BOTH/4', symbol: 'ETHUSDT' };
      expose(bench, other);
      bench.send('BREAKER_CHANGED', { breaker: 'win-rate', state: 'half-open', cause: 'losses' });
      ask(bench);
      assert.equal(reason(bench), 'APPROVED');
      expose(bench, { notional: '20', quantity: '0.2' });
      const grow = (symbol: string, from: string) =>
        bench.send('ASSESS', {
          entry: { ...entry({ symbol }), add: true },
          instrument: { ...INSTRUMENT, symbol },
          from,
        });
      grow('ETHUSDT', other.actor);
      assert.match(String(reason(bench)), waits);
      grow('BTCUSDT', POSITION);
      assert.equal(reason(bench), 'APPROVED');
    });

    test('is no matter of a person’s own entry, which is no trial either', () => {
      const bench = halfOpen();
      const byHand = (symbol: string) =>
        bench.send('ASSESS', {
          entry: { ...entry({ symbol }), byHand: true },
          instrument: { ...INSTRUMENT, symbol },
          from: `entry/${symbol}`,
        });
      byHand('SOLUSDT');
      assert.equal(reason(bench), 'APPROVED');
      ask(bench);
      assert.equal(reason(bench), 'APPROVED');
      byHand('XRPUSDT');
      assert.equal(reason(bench), 'APPROVED');
      ask(bench, 'ETHUSDT');
      assert.match(String(reason(bench)), waits);
    });

    test('concerns its scope alone; closed, it lets everything through; open again, it has another trial', () => {
      const bench = halfOpen({ scope: { symbols: ['BTCUSDT', 'SOLUSDT'] } });
      ask(bench);
      ask(bench, 'ETHUSDT');
      assert.equal(reason(bench), 'APPROVED');
      ask(bench, 'SOLUSDT');
      assert.match(String(reason(bench)), waits);
      bench.send('BREAKER_CHANGED', { breaker: 'win-rate', state: 'reducing', cause: 'lost, too' });
      bench.send('BREAKER_CHANGED', { breaker: 'win-rate', state: 'half-open', cause: 'lost, too' });
      ask(bench, 'SOLUSDT');
      assert.equal(reason(bench), 'APPROVED');
      bench.send('BREAKER_CHANGED', { breaker: 'win-rate', state: 'closed', cause: '' });
      ask(bench, 'XRPUSDT');
      assert.equal(reason(bench), 'APPROVED');
    });
  });

  test('a position that ends while it asks to grow leaves no reservation behind', () => {
    const bench = portfolio();
    const grow = () =>
      bench.send('ASSESS', { entry: { ...entry({}), add: true }, instrument: INSTRUMENT, from: POSITION });
    expose(bench, { notional: '20', quantity: '0.2' });
    grow();
    assert.equal(answer(bench), 'APPROVED');
    bench.send('POSITION_CLOSED', { actor: POSITION, trade: tradeOf('1'), reason: 'stop' });
    assert.deepEqual(context(bench).reservations, {});
    grow();
    assert.equal(answer(bench), 'REFUSED');
    assert.deepEqual(context(bench).reservations, {});
  });

  test('after a breaker opened nothing is approved or confirmed, and unfilled entries are called back', () => {
    const bench = portfolio();
    ask(bench);
    ask(bench, 'ETHUSDT');
    expose(bench, { quantity: '0' });
    bench.send('BREAKER_CHANGED', { breaker: 'drawdown', state: 'halted', cause: '20 %' });
    assert.equal(bench.value, 'halted');
    assert.deepEqual(told(bench), [
      [POSITION, { type: 'ABORT_ENTRY', reason: 'trading is halted: breaker drawdown is halted: 20 %' }],
    ]);
    bench.send('CONFIRM', { actor: 'position/ETHUSDT/BOTH/1', symbol: 'ETHUSDT' });
    assert.equal(answer(bench), 'DENIED');
    assert.deepEqual(context(bench).reservations, {});
    ask(bench, 'SOLUSDT');
    assert.equal(answer(bench), 'REFUSED');
    bench.send('BREAKER_CHANGED', { breaker: 'drawdown', state: 'half-open', cause: '' });
    assert.equal(bench.value, 'active');
  });

  test('the worst breaker decides, and the operator over all', () => {
    const bench = portfolio();
    bench.send('BREAKER_CHANGED', { breaker: 'daily-loss', state: 'reducing', cause: 'x' });
    bench.send('BREAKER_CHANGED', { breaker: 'drawdown', state: 'halted', cause: 'x' });
    assert.equal(bench.value, 'halted');
    bench.send('BREAKER_CHANGED', { breaker: 'drawdown', state: 'closed', cause: '' });
    assert.equal(bench.value, 'reducing');
    bench.send('OPERATOR_HALT', { by: 'ann' });
    bench.send('BREAKER_CHANGED', { breaker: 'daily-loss', state: 'closed', cause: '' });
    assert.equal(bench.value, 'halted');
    bench.send('OPERATOR_RESUME', { by: 'ann' });
    assert.equal(bench.value, 'active');
  });

  test('equity is wallet plus unrealised on mark; the day starts at UTC midnight; deposits are no profit', () => {
    const bench = portfolio();
    expose(bench);
    expose(bench, { actor: 'position/ETHUSDT/BOTH/1', symbol: 'ETHUSDT', direction: 'short' });
    bench.send('MARK', { prices: { BTCUSDT: 110, ETHUSDT: 103 } });
    assert.equal(context(bench).equity, '1014');
    assert.deepEqual(told(bench)[0], [
      'breaker/drawdown',
      { type: 'EQUITY', equity: '1014', peak: '1014', dayStart: '1000', day: 0 },
    ]);
    bench.send('WALLET_CHANGED', { balance: '1500', delta: '500', reason: 'DEPOSIT' });
    const { equity, peakEquity, dayStart } = context(bench);
    assert.deepEqual([equity, peakEquity], ['1514', '1514']);
    assert.equal(
      (Number(equity) / Number(dayStart.equity)).toFixed(9),
      '1.014000000',
      'as much a gain as before',
    );
    assert.deepEqual(
      told(bench),
      ['drawdown', 'weekly-loss'].map((name) => [
        `breaker/${name}`,
        { type: 'MOVED', equity: '1014', moved: '500' },
      ]),
    );
    bench.send('WALLET_CHANGED', { balance: '1490', delta: '-10', reason: 'COMMISSION' });
    assert.deepEqual([context(bench).equity, context(bench).peakEquity], ['1504', '1514']);
    assert.deepEqual(told(bench), []);
    bench.send('MARK', { prices: { BTCUSDT: 100 } }, 86_400_000);
    assert.deepEqual(context(bench).dayStart, { day: 1, equity: '1484' });
  });

  test('a withdrawal makes no drawdown, and a deposit hides none', () => {
    const bench = portfolio();
    const move = (balance: string, delta: string, reason: string) =>
      bench.send('WALLET_CHANGED', { balance, delta, reason });
    const lost = () => {
      const { equity, peakEquity, dayStart, weekStart } = context(bench);
      return [peakEquity, dayStart.equity, weekStart.equity].map((from) =>
        (100 - (100 * Number(equity)) / Number(from)).toFixed(6),
      );
    };
    move('950', '-50', 'REALIZED_PNL');
    assert.deepEqual(lost(), ['5.000000', '5.000000', '5.000000']);
    move('50', '-900', 'WITHDRAW');
    assert.deepEqual(lost(), ['5.000000', '5.000000', '5.000000']);
    move('10050', '10000', 'DEPOSIT');
    assert.deepEqual(lost(), ['5.000000', '5.000000', '5.000000']);
    move('0', '-10050', 'TRANSFER');
    assert.equal(context(bench).peakEquity, '0', 'what is empty has lost nothing');
    move('700', '700', 'TRANSFER');
    assert.equal(context(bench).peakEquity, '700');
  });

  test('what may not be there hedges nothing: entries on their way, UNKNOWN ones, and closes that are UNKNOWN', () => {
    const wild = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 100_000 : -100_000));
    const conditions = { returns: { BTCUSDT: wild, ETHUSDT: wild } };
    const wants = (hedge: Record<string, unknown>) => {
      const bench = portfolio();
      expose(bench, { actor: 'position/ETHUSDT/BOTH/1', symbol: 'ETHUSDT', direction: 'short', ...hedge });
      bench.send('ASSESS', { entry: entry(), instrument: INSTRUMENT, from: 'entry/BTCUSDT', conditions });
      return answer(bench) === 'APPROVED' ? 'approved' : JSON.stringify(told(bench)[0]?.[1].refusals);
    };
    const sure = { notional: '100', quantity: '1', entryPrice: '100' };
    assert.equal(wants(sure), 'approved', 'a hedge');
    const alone = { notional: '0.01', quantity: '0.0001', entryPrice: '100' };
    assert.match(wants(alone), /value-at-risk/);
    assert.match(wants({ notional: '100', quantity: '0', entryPrice: '0' }), /value-at-risk/);
    assert.match(wants({ ...sure, quantity: '0.1', unknown: true }), /value-at-risk/);
    assert.match(wants({ ...sure, leaving: '1' }), /value-at-risk/);
  });

  test('what moves money without trading is neither profit nor loss; the unexplained is never a profit', () => {
    // Every income type that Binance documents, the stream's own reasons, and our own ADJUSTMENT.
    const trading =
      'REALIZED_PNL FUNDING_FEE COMMISSION INSURANCE_CLEAR REFERRAL_KICKBACK COMMISSION_REBATE API_REBATE ' +
      'DELIVERED_SETTELMENT POSITION_LIMIT_INCREASE_FEE FEE_RETURN';
    const moved =
      'TRANSFER WELCOME_BONUS CONTEST_REWARD CROSS_COLLATERAL_TRANSFER INTERNAL_TRANSFER AUTO_EXCHANGE ' +
      'COIN_SWAP_DEPOSIT COIN_SWAP_WITHDRAW STRATEGY_UMFUTURES_TRANSFER BFUSD_REWARD ' +
      'DEPOSIT WITHDRAW ADMIN_DEPOSIT ADMIN_WITHDRAW ASSET_TRANSFER MARGIN_TRANSFER';
    const unexplained = 'ADJUSTMENT OPTIONS_PREMIUM_FEE OPTIONS_SETTLE_PROFIT A_NEW_KIND';
    const after = (reason: string, delta: string) => {
      const bench = portfolio('1000');
      const balance = delta === '50' ? '1050' : '950';
      bench.send('WALLET_CHANGED', { balance, delta, reason });
      const { equity, peakEquity, dayStart } = context(bench);
      assert.equal(equity, balance);
      return [peakEquity, dayStart.equity];
    };
    for (const reason of trading.split(' '))
      for (const delta of ['50', '-50']) assert.deepEqual(after(reason, delta), ['1000', '1000'], reason);
    for (const reason of moved.split(' ')) {
      assert.deepEqual(after(reason, '50'), ['1050', '1050'], reason);
      assert.deepEqual(after(reason, '-50'), ['950', '950'], reason);
    }
    for (const reason of unexplained.split(' ')) {
      assert.deepEqual(after(reason, '50'), ['1050', '1050'], reason);
      assert.deepEqual(after(reason, '-50'), ['1000', '1000'], `${reason} is a loss`);
    }
  });

  test('results teach it, and a measured loss ends trading with its reason', () => {
    const bench = portfolio('100000');
    for (let i = 0; i < 60; i++) {
      bench.send('POSITION_CLOSED', {
        actor: POSITION,
        trade: tradeOf(i % 3 === 0 ? '1' : '-1'),
        reason: 'x',
      });
    }
    const { learned } = context(bench);
    assert.ok(Math.abs(learned.all.trades - 60) < 0.01 && Math.abs(learned.all.wins - 20) < 0.01);
    assert.deepEqual(Object.keys(learned.symbols), ['BTCUSDT']);
    assert.deepEqual(Object.keys(learned.hours), ['0']);
    ask(bench);
    assert.equal(answer(bench), 'REFUSED');
    assert.match(JSON.stringify(context(bench).refusals.at(-1)?.refusals), /"rule":"edge"/);
  });

  test('what the host adds of the market is judged', () => {
    const bench = portfolio('100000');
    bench.send('ASSESS', {
      entry: entry(),
      instrument: INSTRUMENT,
      from: 'entry/BTCUSDT',
      conditions: { returns: {}, spreadRate: 0.01 },
    });
    assert.match(JSON.stringify(context(bench).refusals.at(-1)?.refusals), /"rule":"spread"/);
  });
});
