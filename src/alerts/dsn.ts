/** Where Sentry takes events, read from its DSN: https://KEY@HOST/PROJECT. Pure. */
export interface Dsn {
  readonly endpoint: string;
  readonly publicKey: string;
}

/** The key opens an account: in clear text it may go to this machine only. */
const DSN =
  /^(https:\/\/|http:\/\/(?=[^@/]+@(?:127\.0\.0\.1|localhost|\[::1\])[:/]))([A-Za-z0-9]+)(?::[A-Za-z0-9]+)?@([^\s/@?#]+)((?:\/[^\s/@?#]+)*)\/(\d+)$/;

/** Undefined: it is none. */
export function parseDsn(text: string): Dsn | undefined {
  const [, scheme, publicKey, host, folder, project] = DSN.exec(text) ?? [];
  if (publicKey === undefined) return undefined;
  return { endpoint: `${scheme}${host}${folder}/api/${project}/envelope/`, publicKey };
}
