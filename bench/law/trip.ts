import { join } from 'node:path';
import { outputOf } from '../children.ts';
import type { Place } from './network.ts';
import type { RoundTrip } from './simulation/redis-model.ts';

/** Measures round trips to a Redis from a place: one `PING` after the other, on one connection. */
export async function tripFrom({ prefix }: Place, redisUrl: string): Promise<RoundTrip> {
  const [command = '', ...args] = [
    ...prefix,
    process.execPath,
    join(import.meta.dirname, 'trip-process.ts'),
    redisUrl,
  ];
  return JSON.parse(await outputOf({ command, args, core: undefined })) as RoundTrip;
}
