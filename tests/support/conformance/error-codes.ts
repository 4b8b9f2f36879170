/** The venue's codes that a trading program meets: provoked by a test, or why the exchange never gives it. */
const PROVOKED = [
  -1000, -1001, -1003, -1006, -1007, -1008, -1015, -1021, -1022, -1100, -1102, -1106, -1111, -1115, -1116,
  -1117, -1120, -1121, -1125, -1130, -2011, -2013, -2015, -2018, -2019, -2021, -2022, -2023, -2025, -2027,
  -2028, -4001, -4002, -4003, -4004, -4005, -4013, -4014, -4015, -4016, -4023, -4024, -4028, -4045, -4046,
  -4047, -4048, -4059, -4060, -4061, -4062, -4067, -4068, -4082, -4116, -4118, -4120, -4131, -4135, -4137,
  -4138, -4161, -4164, -4192, -4400, -4401, -5021, -5022, -5024, -5027, -5028, -5029, -5043,
];

const NOT_PROVOKED: readonly (readonly [code: number, why: string])[] = [
  [-1101, 'parameters that nobody asked for are ignored, and of one sent twice the query’s counts'],
  [-1118, 'an empty client order id counts as none, and the exchange gives one'],
  [-1119, 'an empty original id counts as none: −1102 says what is missing'],
  [-1127, 'listings that are asked for too long a time answer −4165'],
  [
    -2014,
    'a key that is missing altogether; both clients always send one (`tests/integration/venue-transport-http.test.ts`)',
  ],
  [
    -4142,
    'strategy orders have no endpoint here; a conditional order that would trigger at once is refused with −2021',
  ],
  [-5025, 'only limit orders ever rest, so none of another type can be changed'],
  [-5026, 'comes after ten thousand changes of one order'],
  [-5041, 'comes without any book, and the market here always has one'],
  [-5047, 'no public text of it is known'],
];

export const ERROR_CODES: readonly (readonly [code: number, why?: string])[] = [
  ...PROVOKED.map((code) => [code] as const),
  ...NOT_PROVOKED,
];

const shown = (code: number): string => `−${-code}`;

export const errorCodesText = (): string =>
  [
    `Provoked: ${PROVOKED.map(shown).join(', ')}.`,
    '',
    '| not provoked | why |',
    '|---|---|',
    ...NOT_PROVOKED.map(([code, why]) => `| ${shown(code)} | ${why} |`),
  ].join('\n');
