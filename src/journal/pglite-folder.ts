/** Whether the engine's data folder is there: it appears whole, by one rename, or not at all. */
import { existsSync } from 'node:fs';
import path from 'node:path';

export const isPgliteFolder = (dir: string): boolean => existsSync(path.join(dir, 'PG_VERSION'));
