/**
 * What a position is at, in a person's words, from its machine's state. What is as usual goes without saying: a
 * position that is open, filled and protected is "protected".
 */

/** By the path of each state without states inside; '' says nothing. */
export const POSITION_WORDS: Readonly<Record<string, string>> = {
  'preparing.settingLeverage': 'prepares its entry',
  'preparing.confirming': 'prepares its entry',
  'entering.submitted': 'enters',
  'entering.unknown': 'nothing is known of its entry',
  'entering.cancelling': 'takes its entry back',
  'open.entry.partiallyFilled': 'still fills',
  'open.entry.cancelling': 'takes the rest of its entry back',
  'open.entry.filled': '',
  'open.protection.exposed.placing': 'stop on its way',
  'open.protection.exposed.unknown': 'nothing is known of its stop',
  'open.protection.exposed.unprotected': 'without a stop',
  'open.protection.covered.protected': 'protected',
  'open.protection.covered.replacing': 'protected, stop moves',
  'open.protection.covered.replacementUnknown': 'protected, nothing is known of its new stop',
  'open.protection.covered.replacementRefused': 'protected, its new stop was refused',
  'open.symbol.trading': '',
  'open.symbol.halted': 'symbol halted',
  'open.symbol.delisting': 'symbol about to be delisted',
  'open.symbol.delisted': 'symbol delisted',
  'open.forced.untouched': '',
  'open.forced.adl': 'reduced by ADL',
  'open.forced.settlement': 'partly settled by the venue',
  'open.forced.manual': 'partly closed by somebody else',
  'open.trailing.unarmed': '',
  'open.trailing.armed': 'trailing',
  'open.scalingOut.waiting': '',
  'open.scalingOut.resting': 'targets at the venue',
  'open.scalingOut.working': 'takes a part',
  'open.scalingOut.unknown': 'nothing is known of a partial exit',
  'open.scalingOut.refused': 'a partial exit was refused',
  'open.scalingOut.done': '',
  'open.pyramiding.waiting': '',
  'open.pyramiding.asking': 'asks to add',
  'open.pyramiding.adding': 'adds',
  'open.pyramiding.unknown': 'nothing is known of an add',
  'open.pyramiding.spent': '',
  'closing.working': 'closes',
  'closing.unknown': 'closes, nothing is known of the order',
  'emergencyClosing.working': 'emergency close',
  'emergencyClosing.unknown': 'emergency close, nothing is known of the order',
  'emergencyClosing.backingOff': 'emergency close, about to try again',
  settling: 'flat, tidies up',
  closed: 'closed',
  abandoned: 'given up',
  failed: 'failed',
};

/** A state that is not in the table is told by its own name. */
export function positionWords(value: unknown): string {
  const words = leaves(value).map((path) => POSITION_WORDS[path] ?? path);
  return words.filter((word) => word !== '').join(', ');
}

const leaves = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner).map((path) => `${key}.${path}`));
};
