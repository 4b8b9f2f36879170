/** A symbol that is to go is left while it still has a market. */
import type { ExitRule, Verdict } from './rule.ts';

export const delisting: ExitRule = (context, { event }): Verdict | null => {
  if (!context.plan.exits.delisting || event.type !== 'INSTRUMENT') return null;
  const { symbolStatus, deliversAt } = context;
  const going = symbolStatus === 'SETTLING' || symbolStatus === 'CLOSE' || deliversAt !== null;
  if (!going) return null;
  const when =
    deliversAt === null ? `the venue says ${symbolStatus}` : `at ${new Date(deliversAt).toISOString()}`;
  return {
    rule: 'delisting',
    act: 'close',
    reason: `delisting: ${when}`,
    numbers: { status: symbolStatus, ...(deliversAt === null ? {} : { deliversAt }) },
  };
};
