import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import type { Answer } from '../support/client.ts';
import { useShop, type RouteInput, type ShopCall } from '../support/shop.ts';

const route = (id: string, cache: object, policies: object = {}): RouteInput => ({
  id,
  match: { path: `/${id}/*` },
  upstream: 'echo',
  policies: { cache, ...policies },
});

const holder = useShop({
  upstreams: () => ({ gone: { targets: ['http://127.0.0.1:1'] } }),
  routes: [
    route('mine', { ttl: '1h' }),
    route('open', { ttl: '1h', scope: 'public' }, { authentication: 'public' }),
    route('shared', { ttl: '1h', scope: 'public' }),
    route('stale', { ttl: '1h', staleIfError: '1h' }, { authentication: 'public', deadline: '200ms' }),
    route(
      'masked',
      { ttl: '1h' },
      { authentication: 'public', transform: { response: { maskFields: ['secret'] } } },
    ),
  ],
});

let served = 0;
let fields: Record<string, string> = {};
let behave: ((response: ServerResponse) => void) | undefined;

async function ask(path: string, options?: ShopCall): Promise<Answer> {
  holder.shop.echo.listener = (request, response) => {
    served += 1;
    if (behave !== undefined) return behave(response);
    response.writeHead(200, { 'content-type': 'application/json', ...fields });
    response.end(JSON.stringify({ served, secret: 1, user: request.headers['x-user-id'] }));
  };
  return holder.shop.call(path, options);
}

afterEach(() => {
  fields = {};
  behave = undefined;
});

const servedOf = (answer: Answer): unknown => answer.json()['served'];

describe('a cached answer', () => {
  it('is served again, also to HEAD, and says so', async () => {
    const [first, again, head] = [
      await ask('/open/a'),
      await ask('/open/a'),
      await ask('/open/a', { method: 'HEAD' }),
    ];
    expect(servedOf(again)).toBe(servedOf(first));
    expect(first.headers).not.toHaveProperty('x-cache');
    expect(again.headers).toMatchObject({ 'x-cache': 'HIT', age: '0' });
    expect(head.headers).toMatchObject({ 'x-cache': 'HIT' });
    expect(head.body).toHaveLength(0);
    expect(again.headers['x-request-id']).not.toBe(first.headers['x-request-id']);
    expect(await holder.shop.lineOf(again)).toMatchObject({ cache: 'hit', status: 200 });
  });

  it('is never that of another principal', async () => {
    const headers = { authorization: `Bearer ${await holder.shop.services.identity.token('user')}` };
    const bob = await ask('/mine/a', { headers });
    const ada = await ask('/mine/a', { as: 'admin' });
    const again = await ask('/mine/a', { headers });
    expect(ada.json()).toMatchObject({ user: '1' });
    expect(again.json()).toEqual(bob.json());
    expect((await ask('/mine/a')).status).toBe(401);
  });

  it('is shared between principals only where route and answer both say so', async () => {
    const [bob, ada] = [await ask('/shared/a', { as: 'user' }), await ask('/shared/a', { as: 'admin' })];
    expect(servedOf(ada)).not.toBe(servedOf(bob));
    fields = { 'cache-control': 'public' };
    const [one, two] = [await ask('/shared/b', { as: 'user' }), await ask('/shared/b', { as: 'admin' })];
    expect(servedOf(two)).toBe(servedOf(one));
  });

  it.each(['no-store', 'no-cache', 'private', 'max-age=0'])(
    'is not kept when the upstream says %s',
    async (control) => {
      fields = { 'cache-control': control };
      expect(servedOf(await ask(`/open/${control}`))).not.toBe(servedOf(await ask(`/open/${control}`)));
    },
  );

  it.each([
    ['query', '/open/q?a=1', '/open/q?a=2', {}, {}],
    ['host', '/open/h', '/open/h', { host: 'a' }, { host: 'b' }],
    ['Vary', '/open/v', '/open/v', { 'accept-language': 'de' }, { 'accept-language': 'en' }],
  ])('is another one for another %s', async (_what, path, other, headers, others) => {
    fields = { vary: 'Accept-Language' };
    expect(servedOf(await ask(other, { headers: others }))).not.toBe(servedOf(await ask(path, { headers })));
  });

  it('is neither kept for POST nor given to it', async () => {
    expect(servedOf(await ask('/open/p', { method: 'POST' }))).not.toBe(servedOf(await ask('/open/p')));
    expect(servedOf(await ask('/open/p', { method: 'POST' }))).not.toBe(servedOf(await ask('/open/p')));
  });

  it('is masked, too', async () => {
    for (let i = 0; i < 2; i += 1)
      expect((await ask('/masked/a')).json()).toEqual({ served: expect.any(Number) });
  });
});

describe('a stale answer', () => {
  // Stale as soon as it is stored.
  beforeEach(() => {
    fields = { 'cache-control': 'max-age=0' };
  });

  const FAILURES: readonly [string, (response: ServerResponse) => void][] = [
    ['breaks the connection', (response) => response.destroy()],
    ['answers 500', (response) => void response.writeHead(500).end('failed')],
    ['answers 503', (response) => void response.writeHead(503).end('failed')],
    ['does not answer in time', () => undefined],
  ];

  it.each(FAILURES)('stands in when the upstream %s', async (what, failure) => {
    const path = `/stale/${what.replaceAll(' ', '-')}`;
    const good = await ask(path);
    behave = failure;
    const standIn = await ask(path);
    expect(standIn.status).toBe(200);
    expect(standIn.text).toBe(good.text);
    expect(standIn.headers).toMatchObject({ 'x-cache': 'STALE' });
    await holder.shop.lineOf(standIn);
    behave = undefined;
    expect(servedOf(await ask(path))).not.toBe(servedOf(good));
  });

  it('does not hide what the client did wrong', async () => {
    await ask('/stale/wrong');
    behave = (response) => void response.writeHead(404).end('no');
    expect((await ask('/stale/wrong')).status).toBe(404);
  });

  it('is not there for who never asked: the failure shows', async () => {
    behave = (response) => response.destroy();
    expect((await ask('/stale/never-asked')).status).toBe(502);
  });
});
