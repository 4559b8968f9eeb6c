import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { call } from '../support/client.ts';
import { checkGateway, startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const SLOW_MS = 60;
const KEY = 'gh_test_0123456789abcdef0123456789';

let upstream: TestUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startUpstream((incoming, response) => {
    response.setHeader('content-type', 'application/json');
    const answer = () => response.end('{"name":"x","internal":1}');
    setTimeout(answer, incoming.url?.includes('slow') === true ? SLOW_MS : 0);
  });
  gateway = await startGateway({ config: config() });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

function config(more: object = {}): string {
  const local = { serverTiming: { for: 'loopback' } };
  const when = "request.headers['x-debug'] == 'yes'";
  return JSON.stringify({
    version: 1,
    defaults: { policies: { authentication: 'public' } },
    upstreams: { it: { targets: [upstream.url], circuitBreaker: {} } },
    identity: {
      apiKeys: [
        { sha256: createHash('sha256').update(KEY).digest('hex'), clientId: 'ops', roles: ['support'] },
      ],
    },
    routes: [
      { id: 'local', match: { path: '/local/*' }, upstream: 'it', policies: { ...local, transform: { response: { maskFields: ['internal'] } } } }, // prettier-ignore
      { id: 'limited', match: { path: '/limited' }, upstream: 'it', policies: { ...local, rateLimit: [{ key: 'ip', rate: 1, per: '1h', burst: 1 }] } }, // prettier-ignore
      {
        id: 'asked',
        match: { path: '/asked' },
        upstream: 'it',
        policies: { serverTiming: { for: { when } } },
      },
      { id: 'roles', match: { path: '/roles' }, upstream: 'it', policies: { authentication: { schemes: ['apiKey'] }, serverTiming: { for: { anyRole: ['support'] } } } }, // prettier-ignore
      { id: 'off', match: { path: '/off' }, upstream: 'it' },
    ],
    ...more,
  });
}

type Parts = Readonly<Record<string, number>>;

async function ask(path: string, headers: Record<string, string> = {}) {
  const answer = await call(gateway.url + path, { headers });
  const field = answer.headers['server-timing'];
  const parts =
    field === undefined
      ? []
      : String(field)
          .split(', ')
          .map((part) => part.split(';dur='));
  const timing: Parts = Object.fromEntries(parts.map(([name, ms]) => [name, Number(ms)]));
  return { status: answer.status, timing, names: Object.keys(timing) };
}

describe('Server-Timing', () => {
  it('says where the time went, in parts that add up', async () => {
    const { status, timing, names } = await ask('/local/slow');
    expect(status).toBe(200);
    expect(names.at(0)).toBe('parse');
    expect(names.slice(-5)).toEqual(['handle', 'queue', 'upstream', 'serialize', 'total']);
    const { total = 0, upstream: asked = 0, ...others } = timing;
    expect(asked).toBeGreaterThan(SLOW_MS - 2);
    const sum = Object.values(others).reduce((ms, one) => ms + one, asked);
    expect(Math.abs(total - sum)).toBeLessThan(0.001 * names.length);
  });

  it('is on refusals, with the stage that refused and nothing after it', async () => {
    await ask('/limited');
    const { status, names } = await ask('/limited');
    expect(status).toBe(429);
    expect(names).toContain('rateLimit');
    expect(names).not.toContain('upstream');
    expect(names.at(-1)).toBe('total');
  });

  it('is for whom it is meant, and nobody else', async () => {
    expect((await ask('/off')).names).toEqual([]);
    expect((await ask('/asked')).names).toEqual([]);
    expect((await ask('/asked', { 'x-debug': 'yes' })).names).toContain('upstream');
    for (const name of ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via']) {
      const value = name === 'forwarded' ? 'for=203.0.113.7' : name === 'via' ? '1.1 proxy' : '203.0.113.7';
      expect((await ask('/local/x', { [name]: value })).names).toEqual([]);
    }
  });

  it('needs a role where that is what the route says', async () => {
    const known = await ask('/roles', { 'x-api-key': KEY });
    expect(known.status).toBe(200);
    expect(known.names).toContain('authentication');
    const unknown = await ask('/roles');
    expect(unknown.status).toBe(401);
    expect(unknown.names).toEqual([]);
  });

  it.each<[unknown, RegExp]>([
    [{ for: 'everybody' }, /loopback/],
    [{ for: {} }, /anyRole.*when/s],
    [{ for: { when: 'principal.nam == "x"' } }, /serverTiming\.for\.when/],
    [{}, /serverTiming/],
  ])('refuses %j, with its place', async (serverTiming, told) => {
    const routes = [{ id: 'a', match: { path: '/a' }, upstream: 'it', policies: { serverTiming } }];
    await expect(checkGateway({ config: config({ routes }) })).rejects.toThrow(told);
  });
});
