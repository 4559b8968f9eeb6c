import { setTimeout as sleep } from 'node:timers/promises';
import { PUB_SUB } from '../../src/config/tokens.ts';
import type { PubSub } from '../../src/store/pub-sub.ts';
import type { Shop } from './shop.ts';

/** Publishes a notification for a user, as the service would, until somebody has heard it. */
export async function notifyUntil(
  { gateway }: Shop,
  user: string,
  notification: object,
  heard: () => boolean,
): Promise<void> {
  const channels = gateway.gateway.app.get<PubSub>(PUB_SUB, { strict: false });
  while (!heard()) {
    await channels.publish(`notifications:${user}`, JSON.stringify(notification));
    await sleep(10);
  }
}
