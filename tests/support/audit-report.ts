/**
 * What `npm audit --json` said, judged: nothing that is known to be bad may run beside an API key, and an audit that was
 * not made is never taken for one that found nothing.
 */
export type AuditVerdict =
  | { readonly kind: 'sound' | 'unsound'; readonly words: string }
  /** The registry gave no answer: nobody knows. */
  | { readonly kind: 'not-made'; readonly words: string };

interface Report {
  readonly auditReportVersion?: unknown;
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity?: unknown }>>;
  readonly message?: unknown;
  readonly error?: { readonly code?: unknown; readonly summary?: unknown };
}

const BAD: readonly unknown[] = ['high', 'critical'];

export function judgeAudit(text: string): AuditVerdict {
  let report: Report;
  try {
    report = (JSON.parse(text) ?? {}) as Report;
  } catch {
    return { kind: 'not-made', words: 'npm gave no report' };
  }
  const { vulnerabilities } = report;
  if (
    report.auditReportVersion === undefined ||
    typeof vulnerabilities !== 'object' ||
    vulnerabilities === null
  ) {
    const why = report.message ?? report.error?.summary ?? report.error?.code ?? 'no reason given';
    return { kind: 'not-made', words: String(why).slice(0, 200) };
  }
  const names = Object.entries(vulnerabilities);
  const bad = names.filter(([, { severity }]) => BAD.includes(severity)).map(([name]) => name);
  if (bad.length > 0) return { kind: 'unsound', words: `high or critical: ${bad.join(', ')}` };
  return { kind: 'sound', words: `${names.length} packages with lesser advisories, none high or critical` };
}
