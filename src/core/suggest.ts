/** The likeliest word that was meant, for "did you mean" hints. */

/** Edits between two words; swapped neighbours are one edit, being the commonest slip. */
function distance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? (beforePrevious[j - 2] ?? 0) + 1 : substituted;
      current.push(Math.min(substituted, swapped, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

function sharedPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** The nearest of `known`, or undefined when none is near enough to be a slip of the fingers. */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  const tolerated = Math.max(1, Math.floor(word.length / 3));
  const [best] = known
    .map((candidate) => ({
      candidate,
      edits: distance(typed, candidate.toLowerCase()),
      shared: sharedPrefix(typed, candidate.toLowerCase()),
    }))
    .filter(({ edits }) => edits <= tolerated)
    .sort((a, b) => a.edits - b.edits || b.shared - a.shared);
  return best?.candidate;
}

/** ` Did you mean "x"?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = suggest(word, known);
  return meant === undefined ? '' : `Did you mean "${meant}"?`;
}
