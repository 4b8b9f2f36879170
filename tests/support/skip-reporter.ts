/** A reporter for node:test that notes only what was skipped or left to do, one JSON object a line. */
import type { TestEvent } from 'node:test/reporters';

export interface Skip {
  readonly file: string;
  readonly name: string;
  readonly reason: string;
}

export default async function* skipReporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { skip, todo, name, file } = event.data;
    const why = skip ?? todo;
    if (why === undefined || why === false) continue;
    const reason = typeof why === 'string' && why !== '' ? why : 'no reason given';
    yield `${JSON.stringify({ file: file ?? '', name, reason } satisfies Skip)}\n`;
  }
}
