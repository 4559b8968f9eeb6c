import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RequestListener } from 'node:http';
import { call } from '../support/client.ts';
import { FAULTS } from '../support/faults.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { reload, until } from '../support/reload.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

/** How a target dies while the others live. */
const DEATHS: Readonly<Record<string, (target: TestUpstream) => Promise<void> | void>> = {
  refused: (target) => target.stop(),
  ...Object.fromEntries(
    Object.entries(FAULTS).map(([name, fault]) => [name, (target: TestUpstream) => answers(target, fault)]),
  ),
};

const all: TestUpstream[] = [];
const targetsOf = new Map<string, TestUpstream[]>();
let gateway: TestGateway;
let config: { upstreams: Record<string, { targets: string[] }> };

function answers(target: TestUpstream, listener: RequestListener): void {
  target.listener = listener;
}

async function start(name: string, count: number): Promise<string[]> {
  const targets = await Promise.all(
    Array.from({ length: count }, () => startUpstream((_request, response) => response.end(name))),
  );
  all.push(...targets);
  targetsOf.set(name, targets);
  return targets.map(({ url }) => url);
}

const PROBES = { path: '/healthz', interval: '20ms', edgeInterval: '5ms', timeout: '1s', down: 2, up: 2 };

beforeAll(async () => {
  const dying = {
    timeouts: { firstByte: '150ms' },
    retry: { on: ['connect', 'reset', 'timeout', 503] },
    health: { passive: { failures: 3, ejectFor: '1h' } },
  };
  const upstreams: Record<string, { targets: string[] }> = {};
  for (const death of Object.keys(DEATHS)) upstreams[death] = { targets: await start(death, 3), ...dying };
  const probed = { health: { active: PROBES } };
  const breaker = { circuitBreaker: { consecutiveFailures: 1, openFor: '1h' } };
  upstreams['alone'] = { targets: await start('alone', 3), ...breaker };
  upstreams['probed'] = { targets: await start('probed', 2), ...probed };
  const routes = Object.keys(upstreams).map((id) => ({ id, match: { path: `/${id}` }, upstream: id }));
  const identity = {
    issuers: [{ issuer: 'http://127.0.0.1:1', jwks: 'http://127.0.0.1:1/jwks', audiences: ['api'] }],
  };
  const defaults = { policies: { authentication: 'public' } };
  const rest = { version: 1, identity, defaults, routes };
  config = { ...rest, upstreams };
  gateway = await startGateway({ config: JSON.stringify(config) });
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all(all.map((one) => one.stop().catch(() => undefined)));
});

const of = (name: string): TestUpstream[] => targetsOf.get(name) as TestUpstream[];

/** Requests of that many clients, one after the other each; counts what they saw. */
async function load(name: string, clients: number, each: number): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  const client = async (): Promise<void> => {
    for (let i = 0; i < each; i += 1) {
      const { status } = await call(`${gateway.url}/${name}`);
      seen[status] = (seen[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return seen;
}

interface Listed {
  readonly target: string;
  readonly available: boolean;
  readonly reason?: string;
  readonly probes?: { readonly verdict: string; readonly fault?: string };
}

async function listed(name: string): Promise<readonly Listed[]> {
  const { json } = await call(`${gateway.adminUrl}/upstreams`);
  const found = json<{ upstream: string; targets: Listed[] }[]>().find((one) => one.upstream === name);
  return found?.targets ?? [];
}

async function metric(name: string): Promise<string[]> {
  const { text } = await call(`${gateway.adminUrl}/metrics`);
  return text.split('\n').filter((line) => line.startsWith(name));
}

describe('one of three targets that dies under load', () => {
  it.each(Object.keys(DEATHS))('fails no request: %s', async (death) => {
    const [dying, ...living] = of(death) as [TestUpstream, ...TestUpstream[]];
    expect(await load(death, 5, 12)).toEqual({ 200: 60 });
    const underLoad = load(death, 5, 24);
    await DEATHS[death]?.(dying);
    expect(await underLoad).toEqual({ 200: 120 });
    const [dead, ...others] = await listed(death);
    expect(dead).toMatchObject({ available: false, reason: expect.stringContaining('ejected: 3 failures') });
    expect(others.map(({ available }) => available)).toEqual([true, true]);
    const [before, asked] = [dying.requests.length, living.map(({ requests }) => requests.length)];
    expect(await load(death, 1, 10)).toEqual({ 200: 10 });
    expect(dying.requests.length).toBe(before);
    expect(living.map(({ requests }, i) => requests.length - (asked[i] as number))).toEqual([5, 5]);
    const { host } = new URL(dying.url);
    expect(await metric(`gatehouse_target_ejected{upstream="${death}"`)).toContain(
      `gatehouse_target_ejected{upstream="${death}",target="${host}"} 1`,
    );
    const lines = gateway.lines.filter(({ msg, upstream }) => msg === 'target ejected' && upstream === death);
    expect(lines).toEqual([expect.objectContaining({ target: host, ejected: '3 failures in a row' })]);
  });
});

describe('all targets that die', () => {
  it('are left alone: nobody is asked, and the answer says when to come back', async () => {
    for (const target of of('alone')) answers(target, ({ socket }) => void socket.resetAndDestroy());
    for (let i = 0; i < 3; i += 1) await call(`${gateway.url}/alone`);
    const before = of('alone').map(({ requests }) => requests.length);
    const refused = await call(`${gateway.url}/alone`);
    expect([refused.status, refused.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'circuit-open' }),
    ]);
    const seconds = Number(refused.headers['retry-after']);
    expect(seconds).toBeGreaterThan(3500);
    expect(seconds).toBeLessThanOrEqual(3600 * 1.2);
    expect(of('alone').map(({ requests }) => requests.length)).toEqual(before);
    const lines = await gateway.accessLines(1);
    expect(lines.at(-1)).not.toHaveProperty('target');
  });
});

describe('a target that is probed', () => {
  const verdicts = async (): Promise<(string | undefined)[]> =>
    (await listed('probed')).map(({ probes }) => probes?.verdict);
  const wait = async (holds: () => Promise<boolean>): Promise<void> => {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('has no calls while its probes are bad, and has them again once they are good', async () => {
    const [sick, other] = of('probed') as [TestUpstream, TestUpstream];
    await wait(async () => (await verdicts()).join() === 'up,up');
    const counts = { sick: 0, other: 0 };
    let isSick = true;
    answers(sick, ({ url }, response) => {
      if (url === '/probed') counts.sick += 1;
      response.writeHead(isSick ? 500 : 200).end();
    });
    answers(other, ({ url }, response) => {
      if (url === '/probed') counts.other += 1;
      response.end();
    });
    await wait(async () => (await verdicts()).join() === 'down,up');
    expect((await listed('probed'))[0]).toMatchObject({ available: false, reason: 'probe: status 500' });
    expect(await load('probed', 1, 6)).toEqual({ 200: 6 });
    expect(counts).toEqual({ sick: 0, other: 6 });
    const { host } = new URL(sick.url);
    expect(await metric(`gatehouse_target_healthy{upstream="probed",target="${host}"`)).toEqual([
      expect.stringMatching(/ 0$/),
    ]);
    isSick = false;
    await wait(async () => (await verdicts()).join() === 'up,up');
    await load('probed', 1, 6);
    expect(counts.sick).toBe(3);
    const said = gateway.lines.filter(({ health, target }) => health !== undefined && target === host);
    expect(said.map(({ msg }) => msg)).toEqual(['target up', 'target down', 'target up']);
  });

  it('says that none is available when the probes of all are bad, and that the probe may be to blame', async () => {
    const toldOfAll = (): boolean =>
      gateway.lines.some(({ msg }) => msg.startsWith('most targets went down'));
    const all = async (status: number, verdict: string): Promise<void> => {
      for (const target of of('probed'))
        answers(target, (_request, response) => response.writeHead(status).end());
      await wait(async () => (await verdicts()).join() === `${verdict},${verdict}`);
    };
    await all(401, 'down');
    const refused = await call(`${gateway.url}/probed`);
    expect([refused.status, refused.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'no-available-target' }),
    ]);
    // It is said of those that go down within one interval, which a busy machine may miss.
    while (!toldOfAll()) {
      await all(200, 'up');
      await all(401, 'down');
    }
    await all(200, 'up');
  });

  it('is probed on through a reload that changes nothing of it, and no more once it is gone', async () => {
    const [gone, stays] = of('probed') as [TestUpstream, TestUpstream];
    const said = (): number => gateway.lines.filter(({ health }) => health !== undefined).length;
    const before = said();
    expect((await reload(gateway, { ...config, floodLimit: { rate: 9999, per: '1s' } })).outcome).toBe(
      'reloaded',
    );
    expect(await verdicts()).toEqual(['up', 'up']);
    expect(said()).toBe(before);
    const probed = { ...config.upstreams['probed'], targets: [stays.url] };
    await reload(gateway, { ...config, upstreams: { ...config.upstreams, probed } });
    const asked = [gone.requests.length, stays.requests.length] as const;
    await until(() => stays.requests.length > asked[1] + 3);
    expect(gone.requests.length).toBeLessThanOrEqual(asked[0] + 1);
    const { host } = new URL(gone.url);
    expect((await metric('gatehouse_target_')).filter((line) => line.includes(host))).toEqual([]);
  });
});
