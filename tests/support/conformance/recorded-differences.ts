/** What the exchange answers otherwise than the recorded answers of Binance, and why. In docs/CONFORMANCE.md too. */
const LATER = 'came after the recording; the official SDK declares it';

export const DIFFERENCES: readonly (readonly [difference: string, reason: string])[] = [
  ['GET /fapi/v1/aggTrades [].nq: not in the recording', LATER],
  [
    'GET /fapi/v1/exchangeInfo symbols[].permissionSets[]: not sent',
    'the list is empty: which kinds of account may trade a symbol, and every account here may',
  ],
  ['GET /fapi/v1/exchangeInfo symbols[].settlePlan: not in the recording', 'the official SDK declares it'],
  [
    'GET /fapi/v1/exchangeInfo symbols[].underlyingSubType[]: not sent',
    'the list is empty: labels of the website, which nothing here knows',
  ],
  ['GET /fapi/v1/fundingInfo [].updateTime: not sent', 'when terms were last changed is not kept'],
  ['GET /fapi/v1/fundingRate [].markPrice: not in the recording', LATER],
  ['GET /fapi/v1/fundingRate [].rateType: not in the recording', LATER],
  ['GET /fapi/v1/indexInfo: not served', 'composite indices are not traded here'],
  ['GET /fapi/v1/premiumIndex [].estimatedSettlePrice: not in the recording', LATER],
  ['GET /fapi/v1/ticker/bookTicker [].lastUpdateId: not in the recording', LATER],
  ['GET /fapi/v1/ticker/bookTicker lastUpdateId: not in the recording', LATER],
  ['GET /fapi/v1/trades [].isRPITrade: not in the recording', LATER],
  ['GET /futures/data/openInterestHist [].CMCCirculatingSupply: not in the recording', LATER],
  ['aggTrade frame nq: not in the recording', LATER],
  ['aggTrade frame st: not in the recording', LATER],
  ['bookTicker frame ps: not in the recording', LATER],
  ['bookTicker frame st: not in the recording', LATER],
  ['depthUpdate frame ps: not in the recording', LATER],
  ['depthUpdate frame st: not in the recording', LATER],
];

export function differencesTable(): string {
  const rows = DIFFERENCES.map(([difference, reason]) => `| \`${difference}\` | ${reason} |`);
  return ['| difference | reason |', '|---|---|', ...rows].join('\n');
}
