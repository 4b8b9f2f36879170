/** Which bars the scanners have seen, as recovery found them. */
import { scannerOf } from '../../../machines/messages.ts';
import type { ScannerContext } from '../../../machines/scanner.ts';
import type { Recovered } from '../../../supervisors/recovery.ts';
import type { SymbolName } from '../../domain/instrument.ts';

/** How far each scanner has come, by its own row. */
export function scannersSeen(
  { live }: Pick<Recovered, 'live'>,
  symbols: readonly SymbolName[],
): Map<SymbolName, number | null> {
  return new Map(
    symbols.map((symbol) => {
      const text = live.get(scannerOf(symbol))?.row.snapshot;
      const context = text ? (JSON.parse(text) as { context: ScannerContext }).context : undefined;
      return [symbol, context?.lastCloseAt ?? null];
    }),
  );
}
