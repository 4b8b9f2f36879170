/** When a start has come so far that everything open is protected and agrees with the venue: said once. */
export interface SafeMomentOptions {
  /** A full reading is done, with the private stream up. */
  readonly isReady: () => boolean;
  readonly unprotected: () => number;
  readonly onSafe: () => void;
}

/** An observer of committed rows. */
export function safeMoment({ isReady, unprotected, onSafe }: SafeMomentOptions): () => void {
  let isSaid = false;
  return () => {
    if (isSaid || !isReady() || unprotected() > 0) return;
    isSaid = true;
    onSafe();
  };
}
