import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RequestListener, ServerResponse } from 'node:http';
import { entry, FakeConsul } from '../../src/upstreams/discovery/consul/consul.fixture.ts';
import { call } from '../support/client.ts';
import { FAULTS } from '../support/faults.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { randomFrom } from '../support/random.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const SEEDS = process.env['CHAOS_SEED']?.split(',').map(Number) ?? [1, 2];
const [STEPS, CLIENTS, EACH] = [12, 6, 6];
const well: RequestListener = (_request, response) => void response.end('well');

/** How the registry is ill. */
const ILLNESSES: readonly ((response: ServerResponse) => void)[] = [
  (response) => void response.writeHead(500).end('No cluster leader'),
  () => undefined,
  (response) => void response.socket?.resetAndDestroy(),
  (response) => void response.end('[{"Service": 7'),
];

let targets: TestUpstream[];
let consul: FakeConsul;
let gateway: TestGateway;

beforeAll(async () => {
  targets = await Promise.all([1, 2, 3].map(() => startUpstream(well)));
  consul = await new FakeConsul().start();
  consul.list = targets.map(({ url }, id) =>
    entry({ ID: String(id), Address: '127.0.0.1', Port: Number(new URL(url).port) }),
  );
  const users = {
    discovery: { consul: { service: 'users', url: consul.url, wait: '1s' } },
    balancing: 'leastRequests',
    timeouts: { firstByte: '300ms' },
    retry: { attempts: 3, on: ['connect', 'reset', 'timeout', 503] },
    circuitBreaker: { consecutiveFailures: 5, openFor: '1h' },
    health: { passive: { failures: 3, ejectFor: '1h' } },
  };
  const brief = {
    targets: targets.map(({ url }) => url),
    circuitBreaker: { consecutiveFailures: 1, openFor: '50ms', maxOpenFor: '100ms' },
  };
  const config = {
    version: 1,
    defaults: { policies: { authentication: 'public' } },
    upstreams: { users, brief },
    routes: ['users', 'brief'].map((id) => ({ id, match: { path: `/${id}` }, upstream: id })),
  };
  gateway = await startGateway({ config: JSON.stringify(config) });
  while ((await call(`${gateway.url}/users`)).status !== 200);
});

afterAll(async () => {
  await gateway.stop();
  consul.stop();
  await Promise.all(targets.map((target) => target.stop()));
});

/** Requests of several clients, one after the other each; counts what they saw. */
async function load(path = 'users'): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  const client = async (): Promise<void> => {
    for (let i = 0; i < EACH; i += 1) {
      const { status, text } = await call(`${gateway.url}/${path}`);
      const kind = status === 200 && text !== 'well' ? 'not whole' : String(status);
      seen[kind] = (seen[kind] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return seen;
}

async function known(): Promise<number> {
  const { json } = await call(`${gateway.adminUrl}/discovery`);
  return json<{ targets: unknown[] }[]>()[0]?.targets.length ?? 0;
}

/** So that each fault meets three targets that are well. */
async function heal(): Promise<void> {
  for (const target of targets) {
    target.listener = well;
    const init = {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"state":"closed"}',
    };
    await call(`${gateway.adminUrl}/upstreams/users/targets/${new URL(target.url).host}/breaker`, init);
  }
}

describe('under faults in random order', () => {
  it.each(SEEDS)(
    'of one target and the registry, no request fails and nothing empties, seed %i',
    async (seed) => {
      const random = randomFrom(seed);
      const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
      // What may be tried again is earned by requests.
      expect(await load()).toEqual({ 200: CLIENTS * EACH });
      for (let step = 0; step < STEPS; step += 1) {
        const [victim, fault, isIll] = [pick(targets), pick(Object.keys(FAULTS)), random() < 0.5];
        victim.listener = FAULTS[fault as keyof typeof FAULTS];
        if (isIll) {
          consul.instead = pick(ILLNESSES);
          consul.cut();
        }
        expect([step, fault, await load()]).toEqual([step, fault, { 200: CLIENTS * EACH }]);
        expect(await known()).toBe(3);
        await heal();
        consul.instead = undefined;
        if (random() < 0.5) expect([step, await load()]).toEqual([step, { 200: CLIENTS * EACH }]);
      }
    },
  );

  it('of all targets, it says 503 without asking them, and serves again once they are well', async () => {
    for (const target of targets) target.listener = FAULTS.reset;
    const kinds = new Set<number>();
    for (const { url } = gateway; !kinds.has(503);) kinds.add((await call(`${url}/brief`)).status);
    expect([...kinds].filter((status) => status !== 502 && status !== 503)).toEqual([]);
    const asked = (): string => targets.map(({ requests }) => requests.length).join();
    // Between two probes of breakers: one that is asked and fails has no other to go to either.
    for (let before = ''; before !== asked();) {
      before = asked();
      const { status, json } = await call(`${gateway.url}/brief`);
      if (status !== 503) before = '';
      else expect(json()).toMatchObject({ code: 'circuit-open' });
    }
    for (const target of targets) target.listener = well;
    while (Object.keys(await load('brief')).join() !== '200');
    const before = targets.map(({ requests }) => requests.length);
    while (targets.some(({ requests }, at) => requests.length === before[at]))
      expect(await load('brief')).toEqual({ 200: CLIENTS * EACH });
  });
});
