import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, speak, type Answer } from '../support/client.ts';
import { checkGateway, startGateway, type TestGateway } from '../support/gateway.ts';

const SECRET = 'a secret of the tests, 32 characters and more';

/** A service that says who it is and what cookie it was sent, and answers `/held` when it is told to. */
class Service {
  readonly server: Server;
  readonly held: (() => void)[] = [];
  requests = 0;

  constructor(name: string) {
    this.server = createServer(({ url, headers }, response) => {
      this.requests += 1;
      const answer = (): void =>
        void response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ name, cookie: headers.cookie ?? '' }));
      if (url?.includes('held') === true) this.held.push(answer);
      else answer();
    });
    this.server.on('upgrade', ({ headers }, socket) => {
      socket.end(
        `HTTP/1.1 400 No\r\nx-name: ${name}\r\nx-cookie: ${headers.cookie ?? ''}\r\ncontent-length: 0\r\n\r\n`,
      );
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
}

const services = ['one', 'two', 'three'].map((name) => new Service(name));
let gateway: TestGateway;

function configOf(more = ''): string {
  const [one, two, three] = services.map(({ url }) => url);
  const calm = 'circuitBreaker: off';
  return `
version: 1
identity: { issuers: [{ issuer: 'http://127.0.0.1:1', jwks: 'http://127.0.0.1:1/jwks', audiences: [api] }] }
defaults: { policies: { authentication: public } }
upstreams:
  hashed: { targets: ['${one}', '${two}', '${three}'], balancing: { consistentHash: { header: X-Tenant } } }
  pinned: { targets: ['${one}', '${two}', '${three}'], sticky: { secretEnv: STICKY, cookie: pin } }
  tracks:
    targets: [{ url: '${one}', labels: { track: stable } }, { url: '${two}', labels: { track: canary } }]
    subset: { track: stable }
  spare:
    targets: ['http://127.0.0.1:1', { url: '${three}', priority: 1 }]
    circuitBreaker: { consecutiveFailures: 1, openFor: 1h }
  narrow: { targets: ['${one}', '${two}'], maxRequests: 1, maxQueued: 1, timeouts: { queue: 5s }, ${calm} }
routes:
  - { id: hashed, match: { path: /hashed/* }, upstream: hashed }
  - { id: pinned, match: { path: /pinned/* }, upstream: pinned, webSocket: { origins: ['https://app.example.com'] } }
  - { id: aggregated, match: { methods: [GET], path: /aggregated }, aggregate: { calls: { it: { upstream: pinned, path: /x } }, response: { name: it.name } } }
  - { id: stable, match: { path: /stable/* }, upstream: tracks }
  - { id: canary, match: { path: /canary/* }, upstream: tracks, subset: { track: canary } }
  - { id: spare, match: { path: /spare/* }, upstream: spare }
  - { id: narrow, match: { path: /narrow/* }, upstream: narrow }
${more}`;
}

beforeAll(async () => {
  for (const { server } of services) await once(server.listen(0, '127.0.0.1'), 'listening');
  process.env['STICKY'] = SECRET;
  gateway = await startGateway({ config: configOf() });
});

afterAll(async () => {
  await gateway.stop();
  delete process.env['STICKY'];
  for (const { server } of services) server.close().closeAllConnections();
});

const ask = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  call(gateway.url + path, { headers });
const nameIn = (answer: Answer): string => answer.json<{ name: string }>().name;
const setBy = ({ headers }: Answer): string => headers['set-cookie']?.[0] ?? '';
const pairOf = (cookie: string): string => cookie.split(';')[0] ?? '';

async function namesOf(
  path: string,
  times: number,
  headers: Record<string, string> = {},
): Promise<Set<string>> {
  const names = new Set<string>();
  for (let i = 0; i < times; i += 1) names.add(nameIn(await ask(path, headers)));
  return names;
}

describe('consistentHash', () => {
  it('sends what has the same field to the same target, and others elsewhere', async () => {
    const all = new Set<string>();
    // So many that one of three targets is missed by chance once in a million runs.
    for (let tenant = 0; tenant < 40; tenant += 1) {
      const names = await namesOf('/hashed/x', 2, { 'x-tenant': `tenant ${tenant}` });
      expect(names.size).toBe(1);
      for (const name of names) all.add(name);
    }
    expect(all.size).toBe(3);
    expect((await namesOf('/hashed/x', 6)).size).toBe(3);
  });
});

describe('sticky sessions', () => {
  it('keep a client with its target, which does not see the cookie', async () => {
    const first = await ask('/pinned/x', { cookie: 'a=1' });
    expect(setBy(first)).toMatch(/^pin=\S+; Path=\/; Max-Age=86400; SameSite=Lax; HttpOnly$/);
    const cookie = `a=1; ${pairOf(setBy(first))}; b=2`;
    for (let i = 0; i < 4; i += 1) {
      const again = await ask('/pinned/x', { cookie });
      expect([nameIn(again), setBy(again), again.json()['cookie']]).toEqual([nameIn(first), '', 'a=1; b=2']);
    }
  });

  it('hold for aggregates, and for what asks to become a socket', async () => {
    const aggregated = await ask('/aggregated');
    const name = nameIn(aggregated);
    const cookie = pairOf(setBy(aggregated));
    for (let i = 0; i < 3; i += 1) expect(nameIn(await ask('/pinned/x', { cookie }))).toBe(name);
    const text = await speak(
      gateway.url,
      `GET /pinned/ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\norigin: https://app.example.com\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\ncookie: ${cookie}\r\n\r\n`,
    );
    expect(text).toContain(`x-name: ${name}\r\n`);
    expect(text).toMatch(/x-cookie: \r\n/);
  });

  it('begin anew with a cookie that somebody has made up', async () => {
    const mac = 'A'.repeat(24);
    for (const value of [
      'x',
      `AAAAAAAAAAAAAAAA.zzzzzzz.${mac}`,
      // Until when would be no number that a clock can show.
      `AAAAAAAAAAAAAAAA.zzzzzzzzz.${mac}`,
      `AAAAAAAAAAAAAAAA.zzzzzzzzzz.${mac}`,
      '',
      '.'.repeat(8000),
      `${'A'.repeat(8000)}.1.${mac}`,
      `x${'; pin=x'.repeat(1500)}`,
    ])
      expect(setBy(await ask('/pinned/x', { cookie: `pin=${value}` }))).toMatch(/^pin=/);
  });

  it('need a secret that nobody guesses', async () => {
    process.env['SHORT'] = 'short';
    const config = configOf().replace('secretEnv: STICKY', 'secretEnv: SHORT');
    await expect(checkGateway({ config })).rejects.toThrow(/sticky\.secretEnv.*32 characters/s);
    delete process.env['SHORT'];
    await expect(checkGateway({ config })).rejects.toThrow(/set the environment variable SHORT/);
  });
});

describe('a subset', () => {
  it('is that of the route, else that of the upstream', async () => {
    expect([...(await namesOf('/stable/x', 3))]).toEqual(['one']);
    expect([...(await namesOf('/canary/x', 3))]).toEqual(['two']);
  });

  it('is refused when no target is in it', async () => {
    const more = '  - { id: none, match: { path: /none }, upstream: tracks, subset: { track: beta } }\n';
    await expect(checkGateway({ config: configOf(more) })).rejects.toThrow(/subset.*has these labels/s);
  });
});

describe('priorities', () => {
  it('have the second take over when the first is gone', async () => {
    expect([...(await namesOf('/spare/x', 4))]).toEqual(['three']);
  });
});

describe('maxRequests', () => {
  /** As many requests as both targets take, each with its target. */
  async function fill(): Promise<readonly Promise<Answer>[]> {
    const busy = [ask('/narrow/held'), ask('/narrow/held')];
    while (services.slice(0, 2).some(({ held }) => held.length === 0)) await sleep(2);
    return busy;
  }

  function free(): void {
    for (const { held } of services) for (const answer of held.splice(0)) answer();
  }

  it('has a request wait for whichever target is free first, and refuses one too many at once', async () => {
    const busy = await fill();
    const two = [ask('/narrow/x'), ask('/narrow/x')];
    const refused = await Promise.race(two);
    expect([refused.json()['code'], refused.headers['retry-after']]).toEqual(['upstream-saturated', '1']);
    services[1]?.held.shift()?.();
    expect((await Promise.all(two)).map(({ status }) => status).sort()).toEqual([200, 503]);
    free();
    await Promise.all(busy);
  });

  it('forgets a client that leaves while it waits', async () => {
    const busy = await fill();
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    socket.write('GET /narrow/left HTTP/1.1\r\nhost: x\r\n\r\n');
    await sleep(100);
    socket.destroy();
    await gateway.linesWhere((line) => line['path'] === '/narrow/left');
    const next = ask('/narrow/x');
    expect(await Promise.race([next, sleep(50, 'waits')])).toBe('waits');
    free();
    expect((await next).status).toBe(200);
    await Promise.all(busy);
  });
});
