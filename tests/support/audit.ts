/**
 * `npm run audit`: asks the registry for known vulnerabilities of what runs (development packages left out). Fails for
 * high and critical ones. Where the registry does not answer it says so loudly, and fails with REQUIRE_AUDIT=1.
 */
import { spawnSync } from 'node:child_process';
import { judgeAudit } from './audit-report.ts';

const { stdout } = spawnSync('npm', ['audit', '--json', '--omit=dev'], {
  encoding: 'utf8',
  timeout: 120_000,
});
const { kind, words } = judgeAudit(stdout ?? '');
if (kind === 'not-made') {
  process.stdout.write(
    `NOT AUDITED: ${words}\n  Nobody has looked for known vulnerabilities here. Run "npm run audit" where the registry answers.\n`,
  );
  process.exitCode = process.env.REQUIRE_AUDIT === '1' ? 1 : 0;
} else {
  process.stdout.write(`audited: ${kind}; ${words}\n`);
  process.exitCode = kind === 'sound' ? 0 : 1;
}
