/**
 * From a frame's bytes to the guard-band decision, one core, against bare JSON.parse of the same bytes in the same
 * rounds. 1,000 positions over 35 symbols; frames of three kinds, bare and wrapped.
 */
import { FrameDecoder } from '../src/market/feeds/frame-decoder.ts';
import { concerned, manyBands } from './band-check.ts';
import { makeFrames } from './frame-mix.ts';
import { median, report, timed } from './measure.ts';

const FRAMES = 100_000;
const ROUNDS = 7;

let woken = 0;
const bands = manyBands(98.4, 101.6);

for (const wrapped of [false, true]) {
  const frames = makeFrames(FRAMES, wrapped);
  const decoder = new FrameDecoder((tick) => {
    woken += concerned(bands, tick);
  });
  const decide = (): void => {
    for (const frame of frames) decoder.decode(frame);
  };
  let parsed = 0;
  const bareParse = (): void => {
    for (const frame of frames) if (JSON.parse(frame.toString()) !== null) parsed++;
  };
  decide();
  bareParse();
  const decisions: number[] = [];
  const parses: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    decisions.push(FRAMES / timed(decide));
    parses.push(FRAMES / timed(bareParse));
  }
  const { ticks, faults } = decoder.counts;
  if (ticks !== parsed || faults > 0) throw new Error(`decoded ${ticks} ticks, ${faults} faults`);
  report({
    bench: 'frames',
    form: wrapped ? 'combined' : 'bare',
    rounds: ROUNDS,
    messagesPerSecond: Math.round(median(decisions)),
    bareJsonParsePerSecond: Math.round(median(parses)),
    ratio: median(decisions.map((rate, i) => rate / (parses[i] as number))),
    woken,
    target: 'messagesPerSecond >= 200000',
    met: median(decisions) >= 200_000,
  });
}
