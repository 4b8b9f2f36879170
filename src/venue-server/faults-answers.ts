/**
 * Answers of a venue in trouble, by short name, in its own words. 503 comes in two kinds of opposite meaning:
 * "Unknown error" may have been executed, "Service Unavailable" was not.
 */
export interface TroubledAnswer {
  readonly status: number;
  readonly body: string;
  readonly html: boolean;
  /** Whether the request behind it is executed, unless the rule says otherwise. */
  readonly executed: boolean;
  readonly spareProtective?: boolean;
}

const json = (status: number, code: number, msg: string, executed: boolean): TroubledAnswer => ({
  status,
  body: JSON.stringify({ code, msg }),
  html: false,
  executed,
});

const html = (status: number, title: string): TroubledAnswer => ({
  status,
  body: `<html>\r\n<head><title>${status} ${title}</title></head>\r\n<body>\r\n<center><h1>${status} ${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`,
  html: true,
  executed: false,
});

const UNKNOWN_TEXT = 'Unknown error, please check your request or try again later.';
const OVERLOAD_TEXT =
  'Request throttled by system-level protection. Reduce-only/close-position orders are exempt. Please try again.';

export const TROUBLED_ANSWERS: Readonly<Record<string, TroubledAnswer>> = {
  'unknown-503': json(503, -1000, UNKNOWN_TEXT, true),
  'unknown-503-plain': {
    status: 503,
    body: JSON.stringify({ msg: UNKNOWN_TEXT }),
    html: false,
    executed: true,
  },
  'unavailable-503': {
    status: 503,
    body: JSON.stringify({ msg: 'Service Unavailable.' }),
    html: false,
    executed: false,
  },
  'overload-503': { ...json(503, -1008, OVERLOAD_TEXT, false), spareProtective: true },
  '-1000': json(400, -1000, 'An unknown error occurred while processing the request.', true),
  '-1001': json(503, -1001, 'Internal error; unable to process your request. Please try again.', true),
  '-1006': json(
    503,
    -1006,
    'An unexpected response was received from the message bus. Execution status unknown.',
    true,
  ),
  '-1007': json(
    408,
    -1007,
    'Timeout waiting for response from backend server. Send status unknown; execution status unknown.',
    true,
  ),
  '-1125': json(400, -1125, 'This listenKey does not exist.', false),
  '-2013': json(400, -2013, 'Order does not exist.', false),
  '-5028': json(400, -5028, 'Timestamp for this request is outside of the ME recvWindow.', false),
  '-5043': json(400, -5043, 'A pending modification already exists for this order.', false),
  '-1021': json(400, -1021, 'Timestamp for this request is outside of the recvWindow.', false),
  'html-403': html(403, 'Forbidden'),
  'html-500': html(500, 'Internal Server Error'),
  'html-502': html(502, 'Bad Gateway'),
  'html-504': html(504, 'Gateway Time-out'),
  'timeout-408': { ...html(408, 'Request Time-out'), executed: true },
};

export const UNAVAILABLE: TroubledAnswer = {
  status: 503,
  body: JSON.stringify({ msg: 'Service Unavailable.' }),
  html: false,
  executed: false,
};

export const htmlPage = (status: number, title: string): string => html(status, title).body;
