/** The keys of the groups `vault` and `secrets`: where secrets are kept, and how often they are looked at again. */
import { group, oneOf, text, whole } from './leaf.ts';

/** A token and secrets go there: in clear text to this machine only. */
const ADDRESS = /^(https:\/\/[^\s/@?#]+|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?)$/;
const PATH = /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/;
const PATH_ALLOWED = 'names of letters, digits, ".", "_" and "-", with "/" between them';

export const VAULT_AUTHS = ['token', 'approle', 'kubernetes'] as const;

export const vaultSchema = group({
  address: text(
    'an https address without a path; http only for this machine, since secrets go over it',
    ADDRESS,
  ).optional(),
  namespace: text(PATH_ALLOWED, PATH).optional(),
  mount: text(PATH_ALLOWED, PATH).default('secret'),
  path: text(PATH_ALLOWED, PATH).default('bulkhead'),
  auth: oneOf(VAULT_AUTHS).default('token'),
  authMount: text(PATH_ALLOWED, PATH).optional(),
  role: text(PATH_ALLOWED, PATH).default('bulkhead'),
  jwtFile: text('the path of a file').default('/var/run/secrets/kubernetes.io/serviceaccount/token'),
  timeoutMs: whole(100, 60_000).default(5_000),
});

export const secretsSchema = group({
  checkEveryMs: whole(0, 86_400_000).default(30_000),
});
