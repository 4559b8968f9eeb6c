import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { AuditFolder } from '../../test/support/audit.ts';
import { startRedis, type RedisServer } from '../../test/support/redis.ts';
import { closeRedis, createRedis, whenReady } from '../store/redis.ts';
import { createLogger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { AuditInbox, leaveEvent } from './audit-inbox.ts';
import { AuditTrail } from './audit-trail.ts';
import { auditSchema } from './audit.schema.ts';

const EVENT = {
  at: '2026-03-01T12:00:00.000Z',
  action: 'created',
  target: 'gh_live_1',
  by: 'anna',
  host: 'desk',
  clientId: 'mobile',
} as const;
const MOST = 1000;

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = createRedis(server.url, { info: () => undefined, warn: () => undefined });
  await whenReady(redis, 5000);
});
beforeEach(() => redis.flushall());
afterAll(async () => {
  closeRedis(redis);
  await server.stop();
});

/** What a gateway writes that looks twice, and what it leaves. */
async function looked(events: readonly string[], more: object = {}): Promise<[string[], number]> {
  const folder = new AuditFolder();
  const trail = new AuditTrail(createLogger('silent'), new Metrics());
  trail.use(auditSchema.parse({ file: folder.file, events, ...more }), folder.folder);
  const inbox = new AuditInbox(trail, redis);
  await inbox.look();
  await inbox.look();
  await trail.close();
  const lines = readFileSync(folder.file, { encoding: 'utf8', flag: 'a+' }).split('\n').filter(Boolean);
  folder.remove();
  return [lines, await redis.llen('audit:waiting')];
}

it('writes what a command line has left, once', async () => {
  await leaveEvent(redis, EVENT);
  const [lines, left] = await looked(['key']);
  expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
    expect.objectContaining({
      kind: 'key',
      action: 'created',
      outcome: 'done',
      actor: { type: 'cli', id: 'anna' },
      target: 'gh_live_1',
    }),
  ]);
  expect(left).toBe(0);
});

it('leaves them where nobody writes events of keys', async () => {
  await leaveEvent(redis, EVENT);
  expect(await looked(['denial'])).toEqual([[], 1]);
});

it('drops what is no such event, and goes on', async () => {
  for (const text of ['no JSON', '{}', JSON.stringify({ ...EVENT, action: 'revoked' })])
    await redis.rpush('audit:waiting', text);
  await leaveEvent(redis, EVENT);
  const [lines, left] = await looked(['key']);
  expect([lines.length, left]).toEqual([1, 0]);
});

it('keeps the last thousand, for thirty days', async () => {
  await redis.rpush('audit:waiting', ...Array.from({ length: MOST }, () => 'old'));
  await leaveEvent(redis, EVENT);
  expect([await redis.llen('audit:waiting'), await redis.lindex('audit:waiting', -1)]).toEqual([
    MOST,
    JSON.stringify(EVENT),
  ]);
  expect(await redis.ttl('audit:waiting')).toBeGreaterThan(29 * 86_400);
});
