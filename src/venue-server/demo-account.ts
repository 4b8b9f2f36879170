/**
 * The key pair that the local exchange accepts unless it is told another, printed when it starts. It opens an
 * account of play money on this machine and nothing else, so it is no secret.
 */
export const DEMO_ACCOUNT = 'demo';
export const DEMO_API_KEY = 'bulkhead-demo-key';
export const DEMO_API_SECRET = 'bulkhead-demo-secret';

/** Where `bulkhead exchange` listens unless it is told otherwise. */
export const DEFAULT_EXCHANGE_PORT = 7700;
