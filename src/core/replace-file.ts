/** A small file replaced whole: written beside the old one, flushed, renamed over it. A reader never sees half of it. */
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

export async function replaceFile(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const next = `${path}.next`;
  const file = await open(next, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
}
