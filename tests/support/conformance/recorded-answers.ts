/** Answers and frames that Binance gave, as they were recorded; the recordings lie outside the checkout. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

export interface RecordedAnswer {
  readonly endpoint: string;
  readonly query: URLSearchParams;
  readonly data: unknown;
}

const textOf = (folder: string, file: string): string =>
  gunzipSync(readFileSync(path.join(folder, file))).toString('utf8');

/** Those of USD-margined futures (coin-margined ones are asked for by `pair`) that are answers, not refusals. */
export function recordedAnswers(folder: string): RecordedAnswer[] {
  const { routes } = JSON.parse(textOf(folder, 'rest/binance_recorded_http.json.gz')) as {
    routes: Record<string, Record<string, { data: unknown; queryString: string }[]>>;
  };
  const found = Object.entries(routes).flatMap(([where, methods]) =>
    Object.entries(methods).flatMap(([method, answers]) =>
      answers.map(({ data, queryString }) => ({
        endpoint: `${method} ${where}`,
        query: new URLSearchParams(queryString),
        data,
      })),
    ),
  );
  return found.filter(
    ({ endpoint, query, data }) =>
      / \/(fapi|futures)\//.test(endpoint) &&
      !query.has('pair') &&
      typeof data === 'object' &&
      data !== null &&
      !('code' in data),
  );
}

export type RecordedFrame = Readonly<Record<string, unknown>>;

/** Frames within their envelopes' `data`; `<time> <json>` or `<time>: <json>` a line. */
export function recordedFrames(folder: string, file: string, most: number): RecordedFrame[] {
  const frames: RecordedFrame[] = [];
  for (const line of textOf(folder, `micro/binance-um/${file}`).split('\n')) {
    const at = line.indexOf('{"stream"');
    if (at < 0) continue;
    frames.push((JSON.parse(line.slice(at)) as { data: RecordedFrame }).data);
    if (frames.length === most) break;
  }
  return frames;
}
