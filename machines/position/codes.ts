/**
 * What a refusal says. Every refusal is certain (an uncertain one is UNKNOWN), but only some are the venue's
 * judgement of the order itself: the others would have met any order at that moment.
 */

/** Nothing was sent, the venue was too busy or limited us, or it came too late: worth the same order again. */
const NOT_JUDGED: ReadonlySet<number> = new Set([
  0, 418, 429, 503, -1001, -1003, -1008, -1015, -1016, -1021, -5028,
]);

export const isJudgement = (code: number): boolean => !NOT_JUDGED.has(code);

/** The price is already beyond the stop. */
export const WOULD_TRIGGER_AT_ONCE = -2021;

/** A reduce-only order found nothing to reduce: evidence that the books and the venue differ. */
export const NOTHING_TO_REDUCE = -2022;
