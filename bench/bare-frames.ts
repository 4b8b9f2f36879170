/** How many frames the bare server sends to whoever connects. */
export const BARE_FRAMES = 100_000;
