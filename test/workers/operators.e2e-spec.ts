import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, startChild, type ChildGateway } from '../support/child.ts';
import { bearer, useOperators, type Operators } from '../support/operators.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

jest.setTimeout(60_000);

let operators: Operators;
let redis: RedisServer;
let gateway: ChildGateway;

beforeAll(async () => {
  operators = useOperators();
  redis = await startRedis();
  const config = join(operators.folder, 'gateway.yaml');
  writeFileSync(config, 'version: 1\naudit: { file: audit.jsonl }\nroutes: []\n');
  await ensureBuilt();
  gateway = await startChild(config, { WORKERS: '2', REDIS_URL: redis.url, ...operators.environment });
}, 60_000);

afterAll(async () => {
  await gateway?.end('SIGKILL');
  await redis.stop();
  operators.remove();
});

const ask = (path: string, init: RequestInit = {}): Promise<Response> => fetch(gateway.adminUrl + path, init);

/** Opens a session; returns what the browser would send. */
async function login(token: string): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return ask('/session', { method: 'POST', headers, body: JSON.stringify({ token }) });
}

describe('operators of several workers', () => {
  it('are known to each of them by what the process knows that has taken the request', async () => {
    for (const worker of [1, 2]) {
      const path = `/whoami?worker=${worker}`;
      expect((await ask(path)).status).toBe(401);
      const answer = await ask(path, { headers: bearer(operators.tokens.operate) });
      expect([answer.headers.get('gatehouse-worker'), await answer.json()]).toEqual([
        String(worker),
        { name: 'operate', role: 'operate', by: 'token', needsToken: true },
      ]);
    }
    expect((await ask('/metrics')).status).toBe(401);
    expect((await ask('/workers')).status).toBe(401);
    expect((await ask('/workers?worker=all')).status).toBe(401);
    expect((await ask('/workers', { headers: bearer(operators.tokens.read) })).status).toBe(200);
  });

  it('cannot say themselves who they are', async () => {
    const verdict = JSON.stringify({ caller: { name: 'x', role: 'admin', by: 'loopback' } });
    const headers = { verdict, 'x-gatehouse-verdict': verdict, 'x-forwarded-for': '127.0.0.1' };
    expect((await ask('/routes', { headers })).status).toBe(401);
  });

  it('have one session for all of them, until they close it', async () => {
    const opened = await login(operators.tokens.operate);
    const cookie = opened.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
    expect([opened.status, cookie]).toEqual([204, expect.stringMatching(/^gatehouse-admin=[\w-]{43}$/)]);
    const headers = { cookie, 'x-gatehouse-admin': 'console', 'content-type': 'application/json' };
    for (const worker of [1, 2])
      expect((await ask(`/whoami?worker=${worker}`, { headers: { cookie } })).status).toBe(200);
    const order = { method: 'PUT', headers, body: '{"level":"debug","for":"1m"}' };
    expect((await ask('/log-level', order)).status).toBe(200);
    expect(await (await ask('/log-level?worker=all', { headers: { cookie } })).json()).toEqual({
      1: expect.objectContaining({ level: 'debug' }),
      2: expect.objectContaining({ level: 'debug' }),
    });
    expect((await ask('/session', { method: 'DELETE', headers })).status).toBe(204);
    expect((await ask('/whoami', { headers: { cookie } })).status).toBe(401);
  });

  it('are guessed ten times, whichever worker is asked', async () => {
    for (let tries = 0; tries < 10; tries += 1)
      expect((await login(`${tries}`.padEnd(43, 'x'))).status).toBe(401);
    expect((await ask('/whoami?worker=2', { headers: bearer(operators.tokens.read) })).status).toBe(429);
    expect((await login(operators.tokens.read)).status).toBe(429);
  });

  it('are named in the audit', async () => {
    await gateway.end();
    const events = readFileSync(join(operators.folder, 'audit.jsonl'), 'utf8').trim().split('\n');
    const orders = events
      .map((line) => JSON.parse(line) as { action: string; actor: object; outcome: string })
      .filter(({ action }) => action === 'PUT /log-level' || action === 'POST /session');
    expect(orders).toContainEqual(
      expect.objectContaining({
        action: 'PUT /log-level',
        outcome: 'done',
        actor: { type: 'admin', id: 'operate', scheme: 'session' },
      }),
    );
    expect(orders).toContainEqual(expect.objectContaining({ action: 'POST /session', outcome: 'refused' }));
  });
});
