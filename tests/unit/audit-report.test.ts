import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeAudit } from '../support/audit-report.ts';

test('an audit that was not made is no audit, and what is bad is named', () => {
  const report = (vulnerabilities: unknown) => JSON.stringify({ auditReportVersion: 2, vulnerabilities });
  assert.equal(judgeAudit(report({})).kind, 'sound');
  assert.equal(judgeAudit(report({ a: { severity: 'moderate' } })).kind, 'sound');
  const bad = judgeAudit(
    report({ a: { severity: 'low' }, b: { severity: 'high' }, c: { severity: 'critical' } }),
  );
  assert.deepEqual(bad, { kind: 'unsound', words: 'high or critical: b, c' });
  for (const text of ['', 'null', '{}', '<html>', '{"auditReportVersion":2}', '{"vulnerabilities":{}}'])
    assert.equal(judgeAudit(text).kind, 'not-made', text);
  const refused =
    '{"message":"405 Method Not Allowed - POST https://registry.npmjs.org/-/npm/v1/security/audits/quick"}';
  assert.deepEqual(judgeAudit(refused).words.slice(0, 22), '405 Method Not Allowed');
});
