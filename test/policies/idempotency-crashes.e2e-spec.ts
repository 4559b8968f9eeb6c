import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, startChild, type ChildGateway } from '../support/child.ts';
import { call, type Answer } from '../support/client.ts';
import { apiKeyOf, CountingService, keyedConfig, startKeyed, type KeyedGateway } from '../support/keyed.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

const LEASE_MS = 400;
const idempotency = { lease: `${LEASE_MS}ms` };
const routes = {
  '/a/*': { idempotency },
  '/again/*': { idempotency: { ...idempotency, onUnknown: 'run' } },
  '/open/*': { idempotency: { ...idempotency, onStoreError: 'open' } },
  '/pauses/*': { idempotency, fault: { delay: { for: '150ms' } } },
  '/waits/*': { idempotency, fault: { delay: { for: '1m' }, header: { name: 'x-wait' } } },
};

let folder: string;
let redis: RedisServer;
let service: CountingService;
let other: KeyedGateway;
let dying: ChildGateway;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'));
  [redis, service] = await Promise.all([startRedis(), new CountingService().start(), ensureBuilt()]);
  const file = join(folder, 'gateway.yaml');
  writeFileSync(file, keyedConfig(service, { routes }));
  const environment = { REDIS_URL: redis.url, REDIS_TIMEOUT: '500ms', FAULT_INJECTION: 'on' };
  [dying, other] = await Promise.all([
    startChild(file, environment),
    startKeyed({ routes, environment, service }),
  ]);
}, 60_000);

afterAll(async () => {
  if (dying.process.signalCode === null) await dying.end('SIGKILL');
  await other.stop();
  await redis.stop();
  rmSync(folder, { recursive: true });
});

const post = (path: string, key: string): Promise<Answer> => other.post(path, { key });
const codeOf = (answer: Answer): unknown =>
  answer.headers['content-type'] === 'application/problem+json'
    ? answer.json<{ code: string }>().code
    : answer.status;

const PASSING: ReadonlySet<unknown> = new Set(['idempotency-in-flight', 'idempotency-unavailable']);

/** What the gateway that still lives says to the same request until it is neither under way nor unknown to Redis. */
async function eventually(path: string, key: string): Promise<Answer> {
  for (;;) {
    const answer = await post(path, key);
    if (!PASSING.has(codeOf(answer))) return answer;
    await sleep(20);
  }
}

describe('a gateway that dies', () => {
  it('leaves what it had in hand as under way', async () => {
    const ask = (path: string, key: string, headers: Record<string, string> = {}, body?: string): void => {
      const fields = {
        'x-api-key': apiKeyOf('ann'),
        'idempotency-key': key,
        'content-type': 'application/json',
      };
      call(dying.url + path, {
        method: 'POST',
        body: body ?? '{}',
        headers: { ...fields, ...headers },
      }).catch(() => undefined);
    };
    // Before the claim: the body has not come yet.
    ask('/a/b', 'unclaimed', { 'content-length': '9' });
    ask('/waits/b', 'claimed', { 'x-wait': '1' });
    ask('/a/held', 'sent');
    ask('/again/held', 'sent-again');
    await service.holds(2);
    const client = redis.client();
    while ((await client.dbsize()) < 3) await sleep(5);
    // As long as it lives, its leases do not end.
    await sleep(LEASE_MS * 1.5);
    expect(codeOf(await post('/waits/b', 'claimed'))).toBe('idempotency-in-flight');
    expect(codeOf(await post('/a/held', 'sent'))).toBe('idempotency-in-flight');
    await dying.end('SIGKILL');
    expect(codeOf(await post('/a/held', 'sent'))).toBe('idempotency-in-flight');
    service.release();
  });

  it.each([
    ['before the claim', '/a/b', 'unclaimed', 201, 1],
    ['before anything was sent', '/waits/b', 'claimed', 201, 1],
    ['before the service has answered', '/a/held', 'sent', 'idempotency-outcome-unknown', 0],
  ])('%s', async (_when, path, key, code, more) => {
    const before = service.runs;
    expect(codeOf(await eventually(path, key))).toBe(code);
    expect(service.runs - before).toBe(more);
  });

  it('before the service has answered that knows keys itself', async () => {
    const before = service.runs;
    const again = eventually('/again/held', 'sent-again');
    await service.holds(1);
    service.release();
    expect((await again).status).toBe(201);
    expect(service.runs - before).toBe(1);
  });
});

describe('Redis that fails', () => {
  it('stalls between claim and answer: it is told, and nothing more is run meanwhile', async () => {
    const before = service.runs;
    const first = post('/a/held', 'stalled');
    await service.holds(1);
    redis.pause();
    service.release();
    expect((await first).status).toBe(201);
    const refused = await post('/a/held', 'stalled');
    expect([codeOf(refused), refused.headers['retry-after']]).toEqual(['idempotency-unavailable', '1']);
    expect((await post('/open/b', 'unprotected')).status).toBe(201);
    redis.resume();
    // What it was told in time it does, though nobody has waited for that.
    expect((await eventually('/a/held', 'stalled')).headers['idempotent-replayed']).toBe('true');
    expect(service.runs - before).toBe(2);
    expect(await other.metrics()).toContain('gatehouse_idempotency_total{route="a",outcome="unstored"} 1');
  });

  it('stalls between claim and sending: nothing is run', async () => {
    const before = service.runs;
    const client = redis.client();
    const size = await client.dbsize();
    const first = post('/pauses/b', 'paused');
    while ((await client.dbsize()) === size) await sleep(5);
    redis.pause();
    expect(codeOf(await first)).toBe('idempotency-unavailable');
    redis.resume();
    expect(service.runs).toBe(before);
    expect((await eventually('/pauses/b', 'paused')).status).toBe(201);
  });

  it('keeps nothing of the answer: it is told, and nobody knows afterwards', async () => {
    const client = redis.client();
    const before = service.runs;
    const first = post('/a/held', 'unstored');
    await service.holds(1);
    await client.config('SET', 'maxmemory', '1');
    service.release();
    expect((await first).status).toBe(201);
    await client.config('SET', 'maxmemory', '0');
    expect(codeOf(await eventually('/a/held', 'unstored'))).toBe('idempotency-outcome-unknown');
    expect(service.runs - before).toBe(1);
  });

  it('and forgets: the key is a new one', async () => {
    expect((await post('/a/b', 'lost')).status).toBe(201);
    await redis.client().flushall();
    const before = service.runs;
    expect((await post('/a/b', 'lost')).headers).not.toHaveProperty('idempotent-replayed');
    expect(service.runs - before).toBe(1);
  });

  it('and forgets while it is run: the answer is kept all the same', async () => {
    const first = post('/a/held', 'forgotten');
    await service.holds(1);
    await redis.client().flushall();
    service.release();
    await first;
    expect((await post('/a/held', 'forgotten')).headers['idempotent-replayed']).toBe('true');
  });
});
