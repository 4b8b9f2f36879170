/**
 * Turns SVG into PNG in a thread of its own: a picture takes some 100 ms, for which nothing that trades may wait.
 * The home of resvg and of the font: a bare machine has none.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parentPort } from 'node:worker_threads';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import { defined } from '../core/assert.ts';
import { errorText } from '../core/errors.ts';

export interface PictureRequest {
  readonly id: number;
  readonly svg: string;
}

export type PictureAnswer =
  | { readonly id: number; readonly png: Uint8Array }
  | { readonly id: number; readonly failed: string };

const fileOf = (specifier: string): Buffer => readFileSync(fileURLToPath(specifier));
const FONTS = [
  import.meta.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'),
  import.meta.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'),
].map(fileOf);

const parent = defined(parentPort, 'the thread that started this one');
const ready = initWasm(fileOf(import.meta.resolve('@resvg/resvg-wasm/index_bg.wasm')));

parent.on('message', async ({ id, svg }: PictureRequest) => {
  try {
    await ready;
    const picture = new Resvg(svg, { font: { fontBuffers: FONTS, defaultFontFamily: 'DejaVu Sans' } });
    const png = picture.render().asPng();
    picture.free();
    parent.postMessage({ id, png } satisfies PictureAnswer);
  } catch (error) {
    parent.postMessage({ id, failed: errorText(error) } satisfies PictureAnswer);
  }
});
