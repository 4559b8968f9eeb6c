import { LOG_LEVEL_PATH, levelOrderSchema } from '../admin/log-level-orders.ts';
import type { RelayedRequest } from '../admin/relayed-requests.ts';
import type { LogLevel } from '../telemetry/log-level.ts';
import type { Member } from './member.ts';

/** Has the log of the primary follow an order that a worker has carried out. */
export function followLevel({ method, url, body }: RelayedRequest, level: LogLevel): void {
  if (url.split('?', 1)[0] !== LOG_LEVEL_PATH) return;
  if (method === 'DELETE') return level.reset();
  const order = levelOrderSchema.safeParse(JSON.parse(body.toString()));
  if (order.success) level.change(order.data.level, order.data.for);
}

/** Has a worker that begins while the log has another level go by that level, for as long as the others do. */
export async function keepLevel({ channel }: Member, level: LogLevel): Promise<void> {
  const { leftMs } = level;
  if (leftMs === 0) return;
  const order = { level: level.shown.level, for: `${Math.ceil(leftMs)}ms` };
  const asked: RelayedRequest = {
    method: 'PUT',
    url: LOG_LEVEL_PATH,
    headers: { 'content-type': 'application/json', host: 'localhost' },
    body: Buffer.from(JSON.stringify(order)),
    address: '127.0.0.1',
    localAddress: '127.0.0.1',
    isTls: false,
    verdict: { caller: { name: undefined, role: 'operate', by: 'loopback' } },
    // The order was accounted for when it was given.
    isEcho: true,
  };
  // One that ends before it answers is replaced, and the next one is told.
  await channel.ask('admin', asked).catch(() => undefined);
}
