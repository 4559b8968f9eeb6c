import { beforeEach, describe, expect, it } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { call as askAdmin, type Answer } from '../support/client.ts';
import { useShop, type RouteInput, type ShopCall } from '../support/shop.ts';

const OPEN = { authentication: 'public' };
const route = (id: string, cache: object = {}, policies: object = {}): RouteInput => ({
  id,
  match: { path: `/${id}/*` },
  upstream: 'echo',
  policies: { ...OPEN, cache: { ttl: '0s', ...cache }, ...policies },
});

const holder = useShop({
  routes: [
    route('plain'),
    route('coded', {}, { compression: { minSize: '1B' } }),
    route('masked', {}, { transform: { response: { maskFields: ['secret'] } } }),
    {
      id: 'both',
      match: { path: '/both' },
      aggregate: { calls: { one: { upstream: 'echo', path: '/one' } } },
      policies: { ...OPEN, cache: { ttl: '0s', staleWhileRevalidate: '1h' } },
    },
  ],
});

let asked: IncomingMessage[] = [];
let behave: (request: IncomingMessage, response: ServerResponse) => void;
const STALE = { 'cache-control': 'max-age=0, stale-while-revalidate=60', etag: '"a"' };

beforeEach(() => {
  asked = [];
  holder.shop.echo.listener = (request, response) => {
    asked.push(request);
    behave(request, response);
  };
});

const call = (path: string, options?: ShopCall): Promise<Answer> => holder.shop.call(path, options);

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a cache and its upstream', () => {
  it('asks for nothing in the background that has no body', async () => {
    behave = (_request, response) =>
      void response.writeHead(200, { 'cache-control': 'max-age=0, stale-while-revalidate=60' }).end('old');
    await call('/plain/head');
    const head = await call('/plain/head', { method: 'HEAD' });
    expect(head.headers['x-cache']).toBe('STALE');
    // What goes on in the background has been sent before.
    await call('/plain/other');
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'GET']);
    expect((await call('/plain/head')).text).toBe('old');
  });

  it('answers from what is stored after a 304, and tells each client by its own condition', async () => {
    behave = ({ headers }, response) => {
      const isKnown = headers['if-none-match'] === '"a"';
      response.writeHead(isKnown ? 304 : 200, {
        'cache-control': 'max-age=0',
        etag: '"a"',
        'x-at': asked.length,
      });
      response.end(isKnown ? undefined : 'body');
    };
    const first = await call('/plain/304');
    const again = await call('/plain/304');
    const known = await call('/plain/304', { headers: { 'if-none-match': 'W/"a"' } });
    expect(first.headers['cache-status']).toBe('gatehouse; fwd=uri-miss; fwd-status=200; stored');
    expect([again.status, again.text, again.headers['x-at']]).toEqual([200, 'body', '2']);
    expect(again.headers).toMatchObject({
      'cache-status': 'gatehouse; fwd=stale; fwd-status=304; stored',
      'x-cache': 'REVALIDATED',
      'content-length': '4',
    });
    expect([known.status, known.text, known.headers['etag']]).toEqual([304, '', '"a"']);
    expect(asked).toHaveLength(3);
  });

  it.each([
    ['as it is', '/plain/left', 'x'.repeat(100_000)],
    ['with its fields masked', '/masked/left', JSON.stringify({ secret: 1, more: 'x'.repeat(100_000) })],
    ['with its bytes edited', '/coded/left', 'x'.repeat(100_000)],
  ])('goes on for those who wait when the client of the first has left: %s', async (_, path, body) => {
    const held: ServerResponse[] = [];
    behave = (_request, response) => void held.push(response);
    const host = new URL(holder.shop.gateway.url).host;
    const leaving = connect(Number(host.split(':')[1]), '127.0.0.1');
    leaving.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n\r\n`);
    await until(() => held.length === 1);
    const waiting = [call(path), call(path)];
    const lines = holder.shop.gateway.linesWhere((line) => line['path'] === path && line['status'] === 499);
    await new Promise((resolve) => setTimeout(resolve, 50));
    leaving.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    held[0]?.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=60' });
    for (let at = 0; at < body.length; at += 10_000) held[0]?.write(body.slice(at, at + 10_000));
    held[0]?.end();
    const answers = await Promise.all(waiting);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(asked).toHaveLength(1);
    expect(await lines).toHaveLength(1);
  });

  it('answers at once with what is stale, and asks in the background, once', async () => {
    behave = (_, response) => void response.writeHead(200, STALE).end(String(asked.length));
    await call('/plain/swr');
    const slow: ServerResponse[] = [];
    behave = (_, response) => void slow.push(response);
    const stale = await Promise.all([call('/plain/swr'), call('/plain/swr'), call('/plain/swr')]);
    expect(stale.map(({ text }) => text)).toEqual(['1', '1', '1']);
    expect(stale[0]?.headers).toMatchObject({ 'x-cache': 'STALE' });
    expect(stale[0]?.headers['cache-status']).toMatch(/^gatehouse; hit; ttl=-\d; detail=while-revalidate$/);
    await until(() => slow.length > 0);
    expect(asked).toHaveLength(2);
    expect(asked[1]?.headers).toMatchObject({ 'if-none-match': '"a"' });
    slow[0]?.writeHead(200, { 'cache-control': 'max-age=60' }).end('new');
    let text = '';
    while (text !== 'new') ({ text } = await call('/plain/swr'));
    expect(asked).toHaveLength(2);
  });

  it('asks again in the background after a failure, which no client sees', async () => {
    behave = (_, response) => void response.writeHead(200, STALE).end('old');
    await call('/plain/failing');
    behave = (_, response) => response.destroy();
    for (let i = 0; i < 3; i += 1) {
      // As long as the last one is still being asked for, nobody asks anew.
      do expect((await call('/plain/failing')).text).toBe('old');
      while (asked.length < 2 + i);
    }
  });

  it('does so for what a route has composed, too', async () => {
    behave = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=0' });
      response.end(String(asked.length));
    };
    const first = await call('/both');
    const stale = await call('/both');
    expect([first.json(), stale.json(), stale.headers['x-cache']]).toEqual([{ one: 1 }, { one: 1 }, 'STALE']);
    await until(() => asked.length === 2);
    let one: unknown = 1;
    while (one === 1) ({ one } = (await call('/both')).json());
  });

  it('is asked once for many that want the same at once', async () => {
    const waiting: ServerResponse[] = [];
    behave = (_, response) => void waiting.push(response);
    const all = Array.from({ length: 100 }, () => call('/plain/burst'));
    await until(() => waiting.length > 0);
    waiting[0]?.writeHead(200, { 'cache-control': 'max-age=60' }).end('one');
    const answers = await Promise.all(all);
    expect([asked.length, new Set(answers.map(({ text }) => text))]).toEqual([1, new Set(['one'])]);
  });

  it('gives no part of what is masked on the way out', async () => {
    behave = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=60' });
      response.end('{"secret":"abc","name":1}');
    };
    for (let i = 0; i < 2; i += 1) {
      const headers = i === 0 ? {} : { range: 'bytes=10-14' };
      const { status, json } = await call('/masked/a', { headers });
      expect([status, json()]).toEqual([200, { name: 1 }]);
    }
    expect(asked).toHaveLength(1);
  });

  it('changes what is elsewhere, if that says so and is of the same origin', async () => {
    behave = ({ method }, response) => {
      const location =
        method === 'GET' ? {} : { location: '/plain/one', 'content-location': 'http://other/plain/two' };
      response.writeHead(200, { 'cache-control': 'max-age=60', ...location }).end(String(asked.length));
    };
    const [one, two] = [await call('/plain/one'), await call('/plain/two')];
    await call('/plain/three', { method: 'POST' });
    expect((await call('/plain/one')).text).not.toBe(one.text);
    expect((await call('/plain/two')).text).toBe(two.text);
  });

  it('counts what became of requests', async () => {
    const metrics = await holder.shop.metrics();
    for (const result of ['hit', 'stale', 'collapsed', 'miss', 'validated', 'bypass'])
      expect(metrics).toMatch(
        new RegExp(`^gatehouse_cache_requests_total\\{route="plain",result="${result}"\\} [1-9]`, 'm'),
      );
    expect(metrics).toMatch(/^gatehouse_cache_bytes [1-9]/m);
  });
});

describe('the operators’ listener', () => {
  const order = async (body: unknown, headers: Record<string, string> = {}) => {
    const { status, json } = await askAdmin(`${holder.shop.gateway.adminUrl}/cache/purge`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return [status, json()] as const;
  };

  it('purges by key, prefix and tag, at once', async () => {
    behave = (_, response) => {
      response.writeHead(200, { 'cache-control': 'max-age=60', 'cache-tag': 'red, blue' });
      response.end(String(asked.length));
    };
    const { host } = new URL(holder.shop.gateway.url);
    const purges = [{ key: `http://${host}/plain/p?x=1` }, { prefix: `${host}/plain/` }, { tag: 'blue' }];
    for (const [at, purge] of purges.entries()) {
      expect((await call('/plain/p?x=1')).text).toBe(String(at + 1));
      expect((await call('/plain/p?x=1')).text).toBe(String(at + 1));
      expect(await order(purge)).toMatchObject([200, { purged: 1, reach: 'here' }]);
    }
    expect((await call('/plain/p?x=1')).text).toBe('4');
  });

  it('refuses what is no order, and orders of pages', async () => {
    for (const body of [{}, { key: 'a', tag: 'b' }, { key: '' }, [], { all: true }, 'a'])
      expect((await order(body))[0]).toBe(400);
    expect((await order({ tag: 'a' }, { origin: 'http://evil.example' }))[0]).toBe(403);
    const usage = await askAdmin(`${holder.shop.gateway.adminUrl}/cache`);
    expect(usage.json()).toEqual({ bytes: expect.any(Number), keys: expect.any(Number) });
  });
});
