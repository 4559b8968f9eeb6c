import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { call, type Answer } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { reload, until } from '../support/reload.ts';
import { connect } from '../support/socket-client.ts';

const open = { authentication: 'public' };
const servers = [new KindsServer(), new KindsServer()] as const;
let gateway: TestGateway;

function configOf(more: object, route: object = {}): object {
  const targets = servers.map(({ url }, index) => ({ url, labels: { track: ['a', 'b'][index] } }));
  return {
    version: 1,
    upstreams: {
      kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets, ...more },
    },
    routes: [
      { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' }, policies: open, ...route },
      {
        id: 'passed',
        match: { path: '/rpc/test.v1.Kinds/*' },
        upstream: 'kinds',
        passGrpc: { stripPrefix: '/rpc' },
        policies: open,
        ...route,
      },
    ],
  };
}

/** What came of a request: whether it was answered, and else the code or the status that tells why. */
interface Outcome {
  readonly ok: boolean;
  readonly why: unknown;
  readonly cookie: string | undefined;
}

const cookieIn = ({ headers }: Pick<Answer, 'headers'>): string | undefined =>
  headers['set-cookie']?.[0]?.split(';')[0];

async function http(path: string, headers: object): Promise<Outcome> {
  const answer = await call(gateway.url + path, { headers: { ...headers } });
  const why = answer.status === 200 ? undefined : answer.json()['code'];
  return { ok: answer.status === 200, why, cookie: cookieIn(answer) };
}

async function problemIn(response: IncomingMessage | undefined): Promise<{ code?: unknown }> {
  let text = '';
  for await (const chunk of response ?? []) text += String(chunk);
  return JSON.parse(text) as { code?: unknown };
}

/** Every way to a target of gRPC. */
const doors: Readonly<Record<string, (cookie?: string) => Promise<Outcome>>> = {
  'a translated call': (cookie) => http('/test/items/a', cookie === undefined ? {} : { cookie }),
  'a stream of events': (cookie) =>
    http('/test/count/1', { accept: 'text/event-stream', ...(cookie !== undefined && { cookie }) }),
  'a call that is passed on': async (cookie) => {
    const headers = { 'content-type': 'application/grpc-web+proto', ...(cookie !== undefined && { cookie }) };
    const url = `${gateway.url}/rpc/test.v1.Kinds/Echo`;
    const answer = await call(url, { method: 'POST', headers, body: Buffer.alloc(5) });
    const status = answer.headers['grpc-status'];
    const isOk = status === undefined && /grpc-status: ?0/.test(answer.text);
    return { ok: isOk, why: status, cookie: cookieIn(answer) };
  },
  'a socket': async (cookie) => {
    const headers = cookie === undefined ? {} : { cookie };
    const { socket, messages, problems, closed } = connect('/test/chat/hi', { url: gateway.url, headers });
    const refusal = once(socket, 'unexpected-response') as Promise<[unknown, IncomingMessage]>;
    const opened = await Promise.race([once(socket, 'open'), refusal]);
    if (opened.length > 0) return { ok: false, why: (await problemIn(opened[1])).code, cookie: undefined };
    socket.send('{"number":1}');
    let isClosed = false;
    void closed.then(() => (isClosed = true));
    await until(() => messages.length > 0 || isClosed);
    socket.terminate();
    return { ok: messages.length > 0, why: problems[0]?.['code'], cookie: undefined };
  },
};
const rows = Object.entries(doors);
const calls = (): number[] => servers.map((server) => server.calls);

beforeAll(async () => {
  process.env['CHOICES'] = 'a secret of the tests, 32 characters and more';
  await Promise.all(servers.map((server) => server.start()));
  gateway = await startGateway({
    config: JSON.stringify(configOf({ sticky: { secretEnv: 'CHOICES', cookie: 'pin' } })),
  });
});
afterAll(async () => {
  await gateway.stop();
  delete process.env['CHOICES'];
  for (const server of servers) server.stop();
});

describe('sticky sessions', () => {
  it.each(rows.slice(0, 3))('begin with the answer of %s', async (_door, ask) => {
    expect((await ask()).cookie).toMatch(/^pin=\S+$/);
  });

  it.each(rows)('are kept by %s, and no target sees the cookie', async (_door, ask) => {
    const { cookie } = await (doors['a translated call'] as () => Promise<Outcome>)();
    const before = calls();
    for (let i = 0; i < 3; i += 1)
      expect(await ask(cookie)).toEqual({ ok: true, why: undefined, cookie: undefined });
    const more = calls().map((count, index) => count - (before[index] as number));
    expect(more.sort()).toEqual([0, 3]);
    expect(servers.map(({ lastMetadata }) => lastMetadata?.get('cookie') ?? [])).toEqual([[], []]);
  });
});

describe('a subset of which no target is available', () => {
  const [first] = servers;
  const order = (state: string): Promise<Answer> =>
    call(`${gateway.adminUrl}/upstreams/kinds/targets/${new URL(first.url).host}/breaker`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(state === 'open' ? { state, force: true } : { state }),
    });

  beforeAll(async () => {
    expect(
      (await reload(gateway, configOf({}, { subset: { track: 'a' }, subsetFallback: 'any' }))).outcome,
    ).toBe('reloaded');
  });

  it.each(rows)('is all targets with `any`, for %s', async (_door, ask) => {
    for (const server of servers) server.reset();
    expect((await ask()).ok).toBe(true);
    expect(calls()).toEqual([1, 0]);
    expect((await order('open')).status).toBe(200);
    expect((await ask()).ok).toBe(true);
    expect(calls()).toEqual([1, 1]);
    await order('closed');
  });

  it.each(rows)('is nobody without, for %s', async (_door, ask) => {
    await reload(gateway, configOf({}, { subset: { track: 'a' } }));
    for (const server of servers) server.reset();
    await order('open');
    const { ok, why } = await ask();
    expect([ok, why]).toEqual([false, expect.stringMatching(/^circuit-open$|^14$/)]);
    await order('closed');
    expect(calls()).toEqual([0, 0]);
  });
});

describe('targets that have as many calls as they may', () => {
  const call1 = doors['a translated call'] as () => Promise<Outcome>;

  async function whileFull(use: () => Promise<void>, callsEach = 1): Promise<void> {
    const held = Promise.withResolvers<void>();
    for (const server of servers) {
      server.reset();
      server.hold = held.promise;
    }
    const busy = Array.from({ length: callsEach * servers.length }, () => call1());
    await until(() => calls().every((count) => count === callsEach));
    for (const server of servers) server.hold = undefined;
    await use();
    held.resolve();
    await Promise.all(busy);
  }

  it.each([
    ['each', { maxRequests: 1 }, {}],
    ['together', { maxInFlight: 2 }, { maxConnections: 100 }],
  ])('%s are not called, nobody waits with `maxQueued: 0`, at any door', async (_who, limit, changed) => {
    await reload(gateway, configOf({ ...limit, maxQueued: 0 }));
    await whileFull(async () => {
      // Those that other targets have been asked for count on.
      await reload(gateway, configOf({ ...limit, ...changed, maxQueued: 0 }));
      for (const [door, ask] of rows) {
        const { ok, why } = await ask();
        expect([door, ok, why]).toEqual([door, false, expect.stringMatching(/^upstream-saturated$|^14$/)]);
      }
      expect(calls()).toEqual([1, 1]);
    });
  });

  it.each([{ maxRequests: 1 }, { maxInFlight: 2 }])('are waited for at every door: %j', async (limit) => {
    await reload(gateway, configOf({ ...limit, timeouts: { queue: '5s' } }));
    let waiting: Promise<Outcome>[] = [];
    await whileFull(async () => {
      waiting = rows.map(([, ask]) => ask());
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(calls()).toEqual([1, 1]);
    });
    expect((await Promise.all(waiting)).map(({ ok }) => ok)).toEqual(rows.map(() => true));
  });

  const ADAPTIVE = { adaptiveConcurrency: { initial: 4, min: 4, max: 4 } };

  it('by their adaptive limit are not called at any door', async () => {
    await reload(gateway, configOf({ ...ADAPTIVE, maxQueued: 0 }));
    await whileFull(async () => {
      for (const [door, ask] of rows) {
        const { ok, why } = await ask();
        expect([door, ok, why]).toEqual([door, false, expect.stringMatching(/^upstream-saturated$|^14$/)]);
      }
      expect(calls()).toEqual([4, 4]);
    }, 4);
  });

  it.each([
    ['maxRequests', { maxRequests: 1 }, 1],
    ['an adaptive limit', ADAPTIVE, 4],
  ])(
    'by %s are not made up for by those that are of another side, at any door',
    async (_what, limit, each) => {
      // As the sides of a canary are: subsets of one upstream.
      await reload(gateway, configOf({ ...limit, maxQueued: 0 }, { subset: { track: 'a' } }));
      const held = Promise.withResolvers<void>();
      for (const server of servers) server.reset();
      servers[0].hold = held.promise;
      const busy = Array.from({ length: each }, () => call1());
      await until(() => calls()[0] === each);
      servers[0].hold = undefined;
      for (const [door, ask] of rows) {
        const { ok, why } = await ask();
        expect([door, ok, why]).toEqual([door, false, expect.stringMatching(/^upstream-saturated$|^14$/)]);
      }
      // The other side has room, and is asked by who is of it.
      await reload(gateway, configOf({ ...limit, maxQueued: 0 }, { subset: { track: 'b' } }));
      for (const [door, ask] of rows) expect([door, (await ask()).ok]).toEqual([door, true]);
      expect(calls()[0]).toBe(each);
      held.resolve();
      await Promise.all(busy);
    },
  );
});
