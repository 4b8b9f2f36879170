/** What the executor must have done about its orders after every input. */
import assert from 'node:assert/strict';
import type { ExecutorState } from '../../src/execution/executor-types.ts';

const QUESTIONS_AT_ONCE = 10;

/** What an order waits for has been sent, or a timer comes for it. */
export function checkNoneForgotten({ orders, calls, at, timerDue }: Readonly<ExecutorState>): void {
  const questions = Object.values(calls).filter(({ call, overdue }) => call === 'query' && !overdue);
  for (const { order, askAt, cancel, status } of Object.values(orders)) {
    const { clientOrderId } = order;
    const isAsked = questions.some((about) => about.order === clientOrderId);
    const mayAsk = questions.length < QUESTIONS_AT_ONCE && !isAsked;
    const mayCancel = cancel?.stage === 'wanted' && status !== 'sending';
    for (const due of [mayAsk ? askAt : null, mayCancel ? cancel.dueAt : null])
      assert.ok(due === null || (timerDue !== null && timerDue <= due), `${clientOrderId} is forgotten`);
  }
  assert.ok(timerDue === null || timerDue >= at - 1_000, 'the timer should long have come');
}
