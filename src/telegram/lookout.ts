/** From where the looking commands look: the operator's views, and who draws. */
import type { Time } from '../core/clock.ts';
import type { Views } from '../operator/views.ts';
import type { Pictures } from './pictures.ts';

export interface Lookout {
  readonly views: Views;
  readonly pictures: Pictures;
  /** Real time. */
  readonly time: Time;
}
