/** A changed API key on its way to whoever signs with it. */
import { errorText } from '../../core/errors.ts';
import type { VenueKey } from '../../exchange/venue-client.ts';
import type { VenueTarget } from '../run/modes.ts';
import type { Session } from '../run/run-session.ts';
import type { SecretWatch } from '../run/secret-watch.ts';
import type { Connected } from './venue-clock.ts';

type ChangeKey = (key: VenueKey) => Promise<unknown>;

/** Of whom there is: the one that is connected last. */
export function takeKeys(
  secrets: SecretWatch,
  used: Pick<VenueTarget, 'apiKey' | 'apiSecret'>,
  change: ChangeKey,
  taken?: () => void,
): void {
  secrets.add({
    what: 'the API key',
    names: ['apiKey', 'apiSecret'],
    take: async ({ apiKey = used.apiKey, apiSecret = used.apiSecret }) => {
      await change({ apiKey, apiSecret });
    },
    ...(taken ? { taken } : {}),
  });
}

/** From now on; and what was changed while it connected is made good. */
export async function followKey({ secrets, options, log }: Session, connected: Connected): Promise<void> {
  const { changeKey, request } = connected;
  if (!changeKey || !options.secretSource) return;
  const { apiKey, apiSecret } = request.target;
  takeKeys(secrets, { apiKey, apiSecret }, changeKey);
  const now = { apiKey: options.secrets.apiKey ?? apiKey, apiSecret: options.secrets.apiSecret ?? apiSecret };
  if (now.apiKey === apiKey && now.apiSecret === apiSecret) return;
  await changeKey(now).catch((error: unknown) => {
    log.error('the API key was changed meanwhile and cannot be taken up', { reason: errorText(error) });
  });
}
