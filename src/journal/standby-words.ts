/** How long words of standbys count, the same for every store. */

/** Not heard of for so long, it is not listed any more. */
export const STANDBY_FORGOTTEN_MS = 60_000;
