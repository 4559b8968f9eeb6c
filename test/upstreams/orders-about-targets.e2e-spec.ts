import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { call, type Answer } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { reload } from '../support/reload.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

let services: TestUpstream[];
let gateway: TestGateway;

beforeAll(async () => {
  services = await Promise.all(Array.from({ length: 3 }, () => startUpstream()));
});
afterAll(() => Promise.all(services.map((one) => one.stop())));
beforeEach(async () => {
  gateway = await startGateway({ config: JSON.stringify(config()) });
});
afterEach(() => gateway.stop());

function config(more: object = {}): object {
  const [a, b, c] = services.map(({ url }) => url);
  const targets = [{ url: a, labels: { track: 'one' } }, { url: b, labels: { track: 'two' } }, { url: c }];
  const route = (id: string, rest: object) => ({ id, match: { path: `/${id}` }, upstream: 'it', ...rest });
  return {
    version: 1,
    floodLimit: 'off',
    defaults: { policies: { authentication: 'public' } },
    upstreams: {
      it: { targets, ...more },
      pair: { targets: [{ url: a, labels: { track: 'new' } }, { url: b }] },
    },
    routes: [
      route('all', {}),
      route('one', { subset: { track: 'one' } }),
      route('two', { subset: { track: 'two' }, subsetFallback: 'any' }),
      { ...route('split', { canary: { to: { track: 'new' }, weight: '10%' } }), upstream: 'pair' },
    ],
  };
}

const hostOf = (at: number): string => new URL(services[at]?.url ?? '').host;

function order(at: number, what: string, body: object = {}, upstream = 'it'): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  const url = `${gateway.adminUrl}/upstreams/${upstream}/targets/${hostOf(at)}/${what}`;
  return call(url, { method: 'PUT', headers, body: JSON.stringify(body) });
}

interface Row {
  readonly kind: string;
  readonly target: string;
  readonly reason?: string;
  readonly by: string;
  readonly until?: string;
}

async function rows(): Promise<readonly Row[]> {
  return (await call(`${gateway.adminUrl}/overrides`)).json<{ rows: Row[] }>().rows;
}

it('the last target of a subset is taken out by force only, also where others of the upstream can be called', async () => {
  const refused = await order(0, 'ejection');
  expect([refused.status, refused.json()]).toEqual([
    409,
    {
      error: `without ${hostOf(0)} no target of it could be called of those track=one that the route one goes to; \`force\` takes it out all the same`,
    },
  ]);
  expect((await call(`${gateway.url}/one`)).status).toBe(200);
  // Its calls go to any other.
  expect((await order(1, 'ejection')).status).toBe(200);
  expect((await call(`${gateway.url}/two`)).status).toBe(200);
  expect((await order(0, 'ejection', { force: true })).status).toBe(200);
  expect((await call(`${gateway.url}/one`)).status).toBe(503);
});

it('the stable side of a canary keeps its last target, and the canary may lose it', async () => {
  const refused = await order(1, 'ejection', {}, 'pair');
  expect([refused.status, refused.text]).toEqual([
    409,
    expect.stringContaining('without track=new that the route split'),
  ]);
  expect((await order(0, 'ejection', {}, 'pair')).status).toBe(200);
});

it('the last target that the upstream itself leaves is kept', async () => {
  await reload(gateway, config({ subset: { track: 'two' } }));
  const refused = await order(1, 'ejection');
  expect([refused.status, refused.text]).toEqual([
    409,
    expect.stringContaining('every route without a subset'),
  ]);
});

it('a breaker that was opened by hand is listed until it is closed, and stays open over a reload', async () => {
  const wish = { state: 'open', for: '10m', reason: 'disk is full' };
  const refused = await order(0, 'breaker', wish);
  expect([refused.status, refused.text]).toEqual([409, expect.stringContaining('the route one goes to')]);
  expect((await call(`${gateway.url}/one`)).status).toBe(200);
  const opened = await order(0, 'breaker', { ...wish, force: true });
  expect(opened.json()).toMatchObject({
    available: false,
    breaker: { state: 'open', cause: 'manual' },
    breakerOrder: { reason: 'disk is full' },
  });
  expect(await rows()).toEqual([
    expect.objectContaining({
      kind: 'breaker', target: hostOf(0), reason: 'disk is full', by: expect.stringContaining('127.0.0.1'), isThere: true,
      until: expect.any(String),
    }),
  ]); // prettier-ignore
  const { rows: changes } = (await call(`${gateway.adminUrl}/changes`)).json<{
    rows: { kind: string; text: string }[];
  }>();
  expect(changes.filter(({ kind }) => kind === 'order').map(({ text }) => text)).toEqual([
    expect.stringMatching(/^breaker of \S+ opened for 600 s: disk is full, by /),
  ]);
  // Targets are made anew.
  await reload(gateway, config({ maxConnections: 7 }));
  expect((await call(`${gateway.url}/one`)).status).toBe(503);
  const closed = await order(0, 'breaker', { state: 'closed' });
  expect(closed.json()).toMatchObject({ available: true, breaker: { state: 'closed' } });
  expect([await rows(), (await call(`${gateway.url}/one`)).status]).toEqual([[], 200]);
});
