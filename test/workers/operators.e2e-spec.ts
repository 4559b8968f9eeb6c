import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

async function told(start: string): Promise<void> {
  while (!gateway.lines().some(({ msg }) => msg.startsWith(start))) await sleep(20);
}

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

  it('are not kept out by a page of another site that has their browser send bad tokens', async () => {
    const page = { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' };
    const body = '{"token":"x"}';
    for (let tries = 0; tries < 12; tries += 1) {
      const type = tries % 2 === 0 ? 'text/plain' : 'application/json';
      const headers = { ...page, 'content-type': type };
      expect((await ask('/session', { method: 'POST', headers, body })).status).toBe(403);
    }
    expect((await login('x'.repeat(43))).status).toBe(401);
    expect((await ask('/session', { method: 'POST', headers: { 'content-type': 'text/plain' }, body })).status).toBe(415); // prettier-ignore
  });

  it('have nothing read of them, nor learn how many serve, as long as nobody knows them', async () => {
    const url = new URL(gateway.adminUrl);
    const socket = connect(Number(url.port), url.hostname);
    // Of the body not a byte comes.
    socket.write(
      `POST /cache/purge?worker=7 HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /);
    expect((await ask('/routes?worker=7')).status).toBe(401);
    const headers = { 'content-type': 'application/json' };
    const long = { method: 'POST', headers, body: JSON.stringify({ token: 'x'.repeat(3000) }) };
    expect((await ask('/session', long)).status).toBe(413);
  });

  it('ask for one thing, whoever reads it', async () => {
    const url = new URL(gateway.adminUrl);
    const status = async (target: string, ...fields: string[]): Promise<string> => {
      const socket = connect(Number(url.port), url.hostname);
      socket.write(`GET ${target} HTTP/1.1\r\n${[...fields, 'connection: close', '', ''].join('\r\n')}`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return answer.toString().slice(9, 12);
    };
    const [host, token] = [`host: ${url.host}`, `authorization: Bearer ${operators.tokens.read}`];
    expect(await status('/whoami', host, token)).toBe('200');
    expect(await status('/whoami', host, token, token)).toBe('400');
    expect(await status('/whoami', host, 'host: evil.example', token)).toBe('400');
    expect(await status('/whoami', token)).toBe('400');
    expect(await status(`http://evil.example/whoami`, host, token)).toBe('400');
    expect(await status(`http://${url.host}/workers`, host, token)).toBe('200');
  });

  it('are served by a worker that starts while the file of tokens has a fault', async () => {
    const headers = bearer(operators.tokens.operate);
    const workers = async () => {
      // The one that has just ended may have been asked.
      const { workers: all = [] } = (await (await ask('/workers', { headers })).json()) as { workers?: { pid: number; state: string }[] }; // prettier-ignore
      return all.filter(({ state }) => state === 'serving').map(({ pid }) => pid);
    };
    const before = await workers();
    writeFileSync(operators.file, operators.text.replace('role: operate', 'role: operator'));
    await told('operators’ access not taken over');
    expect(await (await ask('/metrics', { headers })).text()).toMatch(/^gatehouse_admin_access_faulty 1$/m);
    process.kill(before[0] as number, 'SIGKILL');
    for (let now = before; now.length < 2 || now.includes(before[0] as number); now = await workers())
      await sleep(50);
    writeFileSync(operators.file, operators.text);
    await told('operators’ access read again');
    expect(await (await ask('/metrics', { headers })).text()).toMatch(/^gatehouse_admin_access_faulty 0$/m);
  });

  it('are guessed ten times, whichever worker is asked', async () => {
    // One was bad before.
    for (let tries = 1; tries < 10; tries += 1)
      expect((await login(`${tries}`.padEnd(43, 'x'))).status).toBe(401);
    expect((await ask('/whoami?worker=2', { headers: bearer(operators.tokens.admin) })).status).toBe(429);
    expect((await login(operators.tokens.admin)).status).toBe(429);
    // It was good here before.
    expect((await ask('/whoami?worker=2', { headers: bearer(operators.tokens.read) })).status).toBe(200);
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
