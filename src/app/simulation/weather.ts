/** What the network between a process and the venue is like. */
export interface Weather {
  /** Requests meet nobody: refused at once, or nothing ever comes back. */
  rest: 'up' | 'refused' | 'silent';
  /** Sockets cannot be opened; those there are stay open and mute. */
  stream: 'up' | 'silent';
  /** Nothing new can be connected: the name is not found, the certificate not good. Those there stay. */
  connecting: 'up' | 'ENOTFOUND' | 'CERT_HAS_EXPIRED';
  /** Probabilities. */
  loseRequest: number;
  loseAnswer: number;
  slow: number;
}

export const fairWeather = (): Weather => ({
  rest: 'up',
  stream: 'up',
  connecting: 'up',
  loseRequest: 0,
  loseAnswer: 0,
  slow: 0,
});
