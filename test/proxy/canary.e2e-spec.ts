import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCanary } from '../../src/cli/canary.ts';
import { readEnvironment } from '../../src/config/env.schema.ts';
import { call } from '../support/client.ts';
import { echoSockets } from '../support/socket-service.ts';
import { open } from '../support/socket-client.ts';
import { checkGateway, startGateway, type TestGateway } from '../support/gateway.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { reload, until } from '../support/reload.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const SECRET = 'a secret that is long enough to sign with';
const PUBLIC = { authentication: 'public' };

/** A server that says which one it is, and fails as often as it is told. */
async function instance(name: string): Promise<TestUpstream & { failing: boolean }> {
  const server = await startUpstream((_request, response) => {
    response
      .writeHead(one.failing ? 500 : 200, { 'x-served-by': name, 'cache-control': 'max-age=60' })
      .end(name);
  });
  const one = Object.assign(server, { failing: false });
  return one;
}

let stable: Awaited<ReturnType<typeof instance>>;
let next: Awaited<ReturnType<typeof instance>>;
let redis: RedisServer;
const gateways: TestGateway[] = [];

beforeAll(async () => {
  process.env['CANARY_SECRET'] = SECRET;
  [stable, next, redis] = await Promise.all([instance('stable'), instance('next'), startRedis()]);
});

afterAll(async () => {
  delete process.env['CANARY_SECRET'];
  await Promise.all(gateways.map((one) => one.stop()));
  await Promise.all([stable.stop(), next.stop(), redis.stop()]);
});

const route = (id: string, canary: object | undefined, more: object = {}) => ({
  id,
  match: { path: `/${id}` },
  upstream: 'users',
  policies: PUBLIC,
  ...(canary && { canary }),
  ...more,
});

const configOf = (routes: readonly object[], labels: readonly string[] = ['stable', 'canary']) => ({
  version: 1,
  upstreams: {
    users: {
      circuitBreaker: 'off',
      retry: { attempts: 1 },
      targets: [
        { url: stable.url, labels: { track: labels[0] } },
        { url: next.url, labels: { track: labels[1] } },
      ],
    },
    other: { targets: [next.url], circuitBreaker: 'off' },
  },
  routes,
});

async function start(
  routes: readonly object[],
  environment: Record<string, string> = {},
): Promise<TestGateway> {
  const gateway = await startGateway({ config: JSON.stringify(configOf(routes)), environment });
  gateways.push(gateway);
  return gateway;
}

const to = { track: 'canary' };
const fast = { stepTime: '0ms', stepRequests: 5, warmUp: '0ms', tolerance: { p95: 'off' } };

async function served(
  gateway: TestGateway,
  path: string,
  headers: Record<string, string> = {},
): Promise<string> {
  return (await call(gateway.url + path, { headers })).text;
}

describe('a canary', () => {
  const byUser = { to, sticky: { header: 'x-user' } };
  const routes = (weight: string) => [
    route('split', { ...byUser, weight }),
    route('rule', { to, weight: '0%', when: "request.headers['x-staff'] == 'yes'" }),
    route('socket', { ...byUser, weight }, { webSocket: 'on' }),
    route('upstream', { upstream: 'other', weight: '100%' }),
    route('cached', { ...byUser, weight }, { policies: { ...PUBLIC, cache: { ttl: '1m' } } }),
    route('cookie', { to, sticky: 'cookie', secretEnv: 'CANARY_SECRET', weight: '50%' }),
    route('roll', { ...byUser, ...fast, steps: ['20%', '50%'] }),
    route('good', { ...byUser, ...fast, steps: ['20%', '50%'], tolerance: { errors: '40%', p95: 'off' } }),
  ];
  const users = Array.from({ length: 60 }, (_, i) => `user-${i}`);
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await start(routes('30%'));
  });

  const atCanary = async (path: string): Promise<string[]> => {
    const answers = await Promise.all(
      users.map(async (user) => [user, await served(gateway, path, { 'x-user': user })] as const),
    );
    return answers.flatMap(([user, name]) => (name === 'next' ? [user] : []));
  };

  it('takes the same users every time, and keeps them when its share grows in a reload', async () => {
    const first = await atCanary('/split');
    expect(first.length).toBeGreaterThan(8);
    expect(first.length).toBeLessThan(30);
    expect(await atCanary('/split')).toEqual(first);
    await reload(gateway, configOf(routes('60%')));
    const second = await atCanary('/split');
    expect(second.length).toBeGreaterThan(first.length);
    expect(first.every((user) => second.includes(user))).toBe(true);
    const [line] = await gateway.linesWhere((one) => one['side'] === 'canary');
    expect(line).toMatchObject({ route: 'split', sideBy: 'header' });
  });

  it('splits WebSockets by their handshake, as it does requests', async () => {
    const [atStable, atNext] = [echoSockets(stable.server), echoSockets(next.server)];
    const some = users.slice(0, 12);
    const mine = (await atCanary('/socket')).filter((user) => some.includes(user));
    for (const user of some) {
      const { socket } = await open(`/socket?${user}`, { url: gateway.url, headers: { 'x-user': user } });
      socket.terminate();
    }
    const userOf = ({ url = '' }: IncomingMessage): string => url.slice(url.indexOf('?') + 1);
    expect(atNext.handshakes.map(userOf)).toEqual(mine);
    expect([...atNext.handshakes, ...atStable.handshakes].map(userOf).sort()).toEqual([...some].sort());
    expect(mine.length).toBeGreaterThan(0);
    const lines = () => gateway.lines.filter((one) => one['route'] === 'socket' && one['status'] === 101);
    await until(() => lines().length === some.length);
    expect(lines().filter(({ side }) => side === 'canary')).toHaveLength(mine.length);
    atStable.stop();
    atNext.stop();
  });

  it('takes whom a rule sends, before any weight, and goes to another upstream', async () => {
    expect(await served(gateway, '/rule', { 'x-staff': 'yes' })).toBe('next');
    expect(await served(gateway, '/rule', { 'x-staff': 'no' })).toBe('stable');
    expect(await served(gateway, '/rule')).toBe('stable');
    expect(await served(gateway, '/upstream')).toBe('next');
  });

  it('never answers one side with what was stored of the other', async () => {
    const first = await atCanary('/cached');
    expect(await atCanary('/cached')).toEqual(first);
    const sides = new Set(
      await Promise.all(users.map((user) => served(gateway, '/cached', { 'x-user': user }))),
    );
    expect(sides.size).toBe(2);
  });

  it('gives who has no name a signed cookie with its bucket, and believes no other', async () => {
    const answer = await call(`${gateway.url}/cookie`);
    const cookie = String(answer.headers['set-cookie']?.[0]).split(';')[0] ?? '';
    expect(cookie).toMatch(/^canary-cookie=\d+\.[\w-]{22}$/);
    const again = await call(`${gateway.url}/cookie`, { headers: { cookie } });
    expect([again.text, again.headers['set-cookie']]).toEqual([answer.text, undefined]);
    const forged = cookie.replace(/=\d+/, '=1');
    expect(
      (await call(`${gateway.url}/cookie`, { headers: { cookie: forged } })).headers['set-cookie'],
    ).toBeDefined();
  });

  it('goes to 100 % by itself when it is good', async () => {
    for (let turn = 0; turn < 8; turn += 1) await atCanary('/good');
    expect(
      new Set(await Promise.all(users.map((user) => served(gateway, '/good', { 'x-user': user })))),
    ).toEqual(new Set(['next']));
    const [listed] = (await canaries(gateway)).filter((one) => one['route'] === 'good');
    expect(listed).toMatchObject({
      status: 'promoted',
      weight: '100%',
      changes: [{ to: 'promoted' }, { to: 'running', step: 1 }],
    });
    expect((await call(`${gateway.adminUrl}/metrics`)).text).toContain(
      'gatehouse_canary_weight{route="good"} 1',
    );
  });

  it('is rolled back by itself when it is bad, and stays so over a reload', async () => {
    next.failing = true;
    for (let turn = 0; turn < 4; turn += 1) await atCanary('/roll');
    next.failing = false;
    expect(await atCanary('/roll')).toEqual([]);
    const [line] = await gateway.linesWhere((one) => one['to'] === 'aborted');
    expect(line).toMatchObject({
      route: 'roll',
      level: 40,
      reason: expect.stringMatching(/^errors: \d+ of \d+ attempts failed/),
    });
    await reload(gateway, configOf(routes('61%')));
    expect(await atCanary('/roll')).toEqual([]);
    expect((await act(gateway, 'roll', 'promote')).status).toBe(409);
  });

  it('begins anew when it is another rollout', async () => {
    const anew = routes('61%').map((one) =>
      one.id === 'roll' ? route('roll', { ...byUser, ...fast, id: 'two', steps: ['20%', '50%'] }) : one,
    );
    await reload(gateway, configOf(anew));
    expect((await atCanary('/roll')).length).toBeGreaterThan(0);
  });

  it('is shown, paused, resumed, promoted and aborted by operators, and by nobody whose browser is sent there', async () => {
    const environment = readEnvironment({ ADMIN_PORT: new URL(gateway.adminUrl).port });
    const said: string[] = [];
    const command = { name: 'canary', route: 'split', admin: undefined, json: false } as const;
    for (const action of ['pause', 'resume', 'promote', 'list'] as const)
      await runCanary({ ...command, action }, environment, { write: (text) => said.push(text) });
    expect(said.at(-1)).toMatch(
      /^ROUTE +STATUS +STEP +WEIGHT +REASON\nsplit +promoted +- +100% +promote by an operator\n$/,
    );
    expect(await atCanary('/split')).toEqual(users);
    expect((await fetch(`${gateway.adminUrl}/canaries/split/abort`, { method: 'POST' })).status).toBe(403);
    expect((await act(gateway, 'split', 'abort')).status).toBe(200);
    expect(await atCanary('/split')).toEqual([]);
    expect((await act(gateway, 'nobody', 'abort')).status).toBe(404);
    await expect(
      runCanary({ ...command, action: 'pause' }, environment, { write: () => true }),
    ).rejects.toThrow(/takes no pause/);
    await expect(
      runCanary({ ...command, route: 'nobody', action: 'pause' }, environment, { write: () => true }),
    ).rejects.toThrow('the route "nobody" has no canary');
  });

  it('turns from blue to green in one reload', async () => {
    const turned = (track: string) =>
      configOf([route('turn', { to: { track }, weight: '100%' })], ['blue', 'green']);
    await reload(gateway, turned('blue'));
    expect(await served(gateway, '/turn')).toBe('stable');
    await reload(gateway, turned('green'));
    expect(await served(gateway, '/turn')).toBe('next');
  });
});

async function canaries(gateway: TestGateway): Promise<Record<string, unknown>[]> {
  return (await call(`${gateway.adminUrl}/canaries`)).json();
}

async function act(gateway: TestGateway, id: string, wish: string): Promise<Response> {
  return fetch(`${gateway.adminUrl}/canaries/${id}/${wish}`, {
    method: 'POST',
    headers: { 'x-gatehouse-admin': 'test' },
  });
}

describe('three gateways with one Redis', () => {
  it('agree on every change, also on those made while it was gone', async () => {
    const routes = [
      route('shared', { to, sticky: { header: 'x-user' }, ...fast, stepTime: '1h', steps: ['20%', '50%'] }),
    ];
    const all = await Promise.all([1, 2, 3].map(() => start(routes, { REDIS_URL: redis.url })));
    const [one, two] = all as [TestGateway, TestGateway, TestGateway];
    const statuses = async () =>
      new Set((await Promise.all(all.map(canaries))).map(([first]) => first?.['status']));
    const agreed = async (status: string): Promise<void> => {
      while ((await statuses()).size !== 1 || !(await statuses()).has(status))
        await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await agreed('running');
    const heard = two.linesWhere((line) => line['told'] === true);
    expect((await act(one, 'shared', 'pause')).status).toBe(200);
    await agreed('paused');
    expect(await heard).toMatchObject([{ to: 'paused', by: 'operator' }]);
    expect((await act(two, 'shared', 'resume')).status).toBe(200);
    await agreed('running');
    await redis.kill();
    // What leads on needs all of them, what stops does not.
    await until(() => one.lines.some(({ msg }) => msg.startsWith('Redis is not reachable')));
    expect((await act(one, 'shared', 'promote')).status).toBe(503);
    expect((await act(one, 'shared', 'abort')).status).toBe(200);
    await redis.restart();
    await agreed('aborted');
  }, 20_000);
});

it.each<[string, object, RegExp]>([
  ['beside an aggregate', { id: 'a', match: { path: '/a' }, aggregate: { calls: { one: { upstream: 'users', path: '/' } } }, canary: { to, weight: '5%' }, policies: PUBLIC }, /expected no `canary` beside `aggregate`/],
  ['with an upstream that there is not', route('a', { upstream: 'othr', weight: '5%' }), /no upstream "othr".*did you mean "other"/s],
  ['with a condition of a wrong name', route('a', { to, when: 'principal.emial == "a"' }), /emial/],
  ['with a file of a secret that is not there', route('a', { to, weight: '5%', sticky: 'cookie', secretFile: '/no/such/secret' }), /cannot read \/no\/such\/secret \(ENOENT\)/],
  ['with two places of a secret', route('a', { to, weight: '5%', secretEnv: 'A', secretFile: 'a' }), /expected one of secretEnv and secretFile/],
  ['with a secret that is not there', route('a', { to, weight: '5%', sticky: 'cookie', secretEnv: 'NO_SUCH_SECRET' }), /set the environment variable NO_SUCH_SECRET/],
  ['with steps that do not grow', route('a', { to, steps: ['5%', '5%'] }), /larger share than before/],
  ['that no target is of', route('a', { to: { track: 'canari' }, weight: '5%' }), /no target of the upstream "users" has these labels/],
  ['without a place', route('a', { weight: '5%' }), /one of `to` and `upstream`/],
])('refuses a canary %s', async (_name, wrong, message) => {
  await expect(checkGateway({ config: JSON.stringify(configOf([wrong])) })).rejects.toThrow(message);
}); // prettier-ignore
