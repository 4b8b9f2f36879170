/** Temporary folders that go away with the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

/** A fresh folder; the caller removes it. */
export function makeTempDir(label: string): string {
  return mkdtempSync(path.join(tmpdir(), `bulkhead-${label}-`));
}

export function removeTempDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
}

/** A fresh folder, removed when the test is over. */
export function tempDir(t: Pick<TestContext, 'after'>, label = 'test'): string {
  const dir = makeTempDir(label);
  t.after(() => removeTempDir(dir));
  return dir;
}
