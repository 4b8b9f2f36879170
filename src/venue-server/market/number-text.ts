/**
 * Prices and quantities as the venue writes them: with the decimals of the instrument, never more digits lost.
 *
 * Invariant: the text of a number reads back as that very number; where the instrument's decimals do not
 * suffice (old recordings have finer ticks), the shortest exact form is written instead.
 */
import { fromNumber } from '../../core/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';

const placesOf = (step: string): number => step.split('.')[1]?.length ?? 0;

function exact(value: number, places: number): string {
  const text = value.toFixed(places);
  return Number(text) === value ? text : fromNumber(value);
}

/** Decimals of prices that outlived a finer tick: the venue went on writing them. */
const KEPT_PLACES: Readonly<Record<string, number>> = { BTCUSDT: 2 };

export class NumberText {
  readonly tick: number;
  readonly step: number;
  readonly pricePlaces: number;
  readonly quantityPlaces: number;
  /** Whole numbers: a power of ten, and tick or step in units of it. Their quotient is the nearest double. */
  readonly #priceScale: number;
  readonly #tickUnits: number;
  readonly #quantityScale: number;
  readonly #stepUnits: number;

  constructor({ symbol, tickSize, stepSize, pricePrecision, quantityPrecision }: Instrument) {
    this.tick = Number(tickSize);
    this.step = Number(stepSize);
    this.pricePlaces = Math.max(placesOf(tickSize), pricePrecision ?? KEPT_PLACES[symbol] ?? 0);
    this.quantityPlaces = Math.max(placesOf(stepSize), quantityPrecision ?? 0);
    this.#priceScale = 10 ** this.pricePlaces;
    this.#tickUnits = Math.round(this.tick * this.#priceScale);
    this.#quantityScale = 10 ** this.quantityPlaces;
    this.#stepUnits = Math.round(this.step * this.#quantityScale);
  }

  price(value: number): string {
    return exact(value, this.pricePlaces);
  }

  quantity(value: number): string {
    return exact(value, this.quantityPlaces);
  }

  /** A sum of quantities: what adding floats left behind is rounded off. */
  volume(value: number): string {
    const text = value.toFixed(this.quantityPlaces);
    return Math.abs(Number(text) - value) <= 1e-9 * Math.max(1, value) ? text : fromNumber(value);
  }

  /** Sums of prices times quantities: rounded, as the venue does. */
  amount(value: number): string {
    return value.toFixed(Math.min(this.pricePlaces + this.quantityPlaces, 8));
  }

  /** What a trade or a day came to: with a price's decimals, where candles have more. */
  turnover(value: number): string {
    return value.toFixed(this.pricePlaces);
  }

  /** On the tick. */
  atTick(ticks: number): number {
    return (ticks * this.#tickUnits) / this.#priceScale;
  }

  ticksOf(price: number): number {
    return Math.round(price / this.tick);
  }

  /** Down to the step, at least nothing. */
  floorQuantity(quantity: number): number {
    return (Math.floor(quantity / this.step + 1e-9) * this.#stepUnits) / this.#quantityScale;
  }
}

/** Mark and index prices carry eight decimals. */
export const markText = (value: number): string => value.toFixed(8);
export const rateText = (value: number): string => value.toFixed(8);
