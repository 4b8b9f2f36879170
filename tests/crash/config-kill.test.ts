/** A real run on the embedded store, really killed at every moment of a change of its configuration. */
import { after, test } from 'node:test';
import { survives } from '../support/config-kill.ts';
import { place } from '../support/config-runs.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const dir = makeTempDir('config');
after(() => removeTempDir(dir));

test('killed at every moment of a change, on the embedded store', (t) => survives(t, place(dir, 'embedded')));
