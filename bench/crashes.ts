/** Eight crashes and where their recordings lie under the data folder. A week of run-up: trends take four days to see. */
export interface Crash {
  readonly name: string;
  readonly title: string;
  readonly recording: string;
  readonly symbols: readonly string[];
  readonly timeframe: string;
  readonly from: string;
  readonly to: string;
  /** 100 USDT for each symbol: as many positions as the count allows, and an account that feels them. */
  readonly balance: string;
}

const OLD = ['BTCUSDT', 'ETHUSDT', 'XRPUSDT'];
const TWO = ['BTCUSDT', 'ETHUSDT'];
const FOUR = ['BTCUSDT', 'ETHUSDT', 'BNBUSDT', 'ADAUSDT'];

const crash = (
  name: string,
  title: string,
  recording: string,
  timeframe: string,
  symbols: readonly string[],
  from: string,
  to: string,
): Crash => ({ name, title, recording, timeframe, symbols, from, to, balance: String(100 * symbols.length) });

export const CRASHES: readonly Crash[] = [
  crash('covid', 'March 2020', '.', '1h', OLD, '2020-03-03', '2020-03-16'),
  crash('may', 'May 2021', '.', '1h', OLD, '2021-05-10', '2021-05-22'),
  crash('luna', 'LUNA, May 2022', '.', '1h', OLD, '2022-05-02', '2022-05-13'),
  crash('ftx', 'FTX, November 2022', '.', '1h', OLD, '2022-11-01', '2022-11-11'),
  crash('august-2023', '17 August 2023', '.', '15m', TWO, '2023-08-10', '2023-08-19'),
  crash('august-2024', '5 August 2024', '.', '15m', TWO, '2024-07-27', '2024-08-07'),
  crash('february-2025', '3 February 2025', '.', '15m', TWO, '2025-01-26', '2025-02-05'),
  crash('april-2025', '7 April 2025', '.', '15m', FOUR, '2025-03-31', '2025-04-09'),
];
