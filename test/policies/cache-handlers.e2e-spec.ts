import { afterEach, describe, expect, it } from '@jest/globals';
import { gunzipSync } from 'node:zlib';
import type { OpenApiDocument, Operation } from '../../src/contracts/openapi.ts';
import { call, type Answer } from '../support/client.ts';
import { handlers, KeptModule } from '../support/kept-handlers.ts';
import { useShop, type ShopCall } from '../support/shop.ts';

const holder = useShop({ modules: [KeptModule] });

const ask = (path: string, options?: ShopCall): Promise<Answer> => holder.shop.call(path, options);

/** How often handlers were run while something happened. */
async function runsWhile<Result>(happen: () => Promise<Result>): Promise<readonly [number, Result]> {
  const before = handlers.runs;
  const result = await happen();
  return [handlers.runs - before, result];
}

const twice = (path: string, options?: ShopCall) =>
  runsWhile(async () => [await ask(path, options), await ask(path, options)] as const);

afterEach(() => handlers.clear());

describe('the answer of a handler', () => {
  it.each(['json', 'text', 'bytes', 'file'])('is stored and given again as it was (%s)', async (kind) => {
    const [runs, [first, again]] = await twice(`/kept/${kind}/again?bytes=3000`);
    expect(runs).toBe(1);
    expect(first.headers['cache-status']).toBe('gatehouse; fwd=uri-miss; fwd-status=200; stored');
    expect(first.headers).not.toHaveProperty('x-cache');
    expect(again.status).toBe(200);
    expect(again.body.equals(first.body)).toBe(true);
    expect(again.headers).toMatchObject({
      'x-cache': 'HIT',
      age: '0',
      'content-type': first.headers['content-type'],
      'content-length': String(first.body.length),
    });
    expect(again.headers['cache-status']).toMatch(/^gatehouse; hit; ttl=3\d{3}$/);
    expect(again.headers['x-request-id']).not.toBe(first.headers['x-request-id']);
    expect(again.headers['date']).toBeDefined();
    expect(await holder.shop.lineOf(again)).toMatchObject({ cache: 'hit', status: 200 });
    expect(await holder.shop.lineOf(again)).not.toHaveProperty('replayed');
  });

  it('is stored without what is said of one connection', async () => {
    handlers.fields = { connection: 'close', 'x-kept': 'yes' };
    const [runs, [first, again]] = await twice('/kept/json/closing');
    expect([runs, first.headers.connection, again.headers.connection]).toEqual([1, 'close', 'keep-alive']);
    expect(again.headers['x-kept']).toBe('yes');
  });

  it('is stored without a body, and answers HEAD', async () => {
    const [runs, [, again]] = await twice('/kept/nothing/a');
    expect([runs, again.status, again.headers['x-cache']]).toEqual([1, 204, 'HIT']);
    expect(again.headers).not.toHaveProperty('content-length');
    expect(again.headers).not.toHaveProperty('content-type');
    handlers.clear();
    const first = await ask('/kept/json/head');
    const [headRuns, head] = await runsWhile(() => ask('/kept/json/head', { method: 'HEAD' }));
    expect([headRuns, head.headers['x-cache'], head.headers['content-length'], head.body.length]).toEqual([
      0,
      'HIT',
      String(first.body.length),
      0,
    ]);
  });

  it.each(['no-store', 'no-cache', 'private', 'max-age=0'])(
    'is not kept when it says %s',
    async (control) => {
      handlers.fields = { 'cache-control': control };
      expect((await twice(`/kept/json/${control}`))[0]).toBe(2);
    },
  );

  it('is not kept with a cookie, nor where it varies by what is in no key', async () => {
    handlers.fields = { 'set-cookie': 'a=b' };
    expect((await twice('/kept/json/cookie'))[0]).toBe(2);
    handlers.fields = { vary: '*' };
    expect((await twice('/kept/json/vary'))[0]).toBe(2);
    handlers.fields = { vary: 'x-forwarded-for' };
    expect((await twice('/kept/json/address'))[0]).toBe(2);
  });

  it('is another one for another query, host, variant, and field of the client', async () => {
    handlers.fields = { vary: 'Accept-Language' };
    const others: readonly (readonly [string, ShopCall])[] = [
      ['/kept/json/other', {}],
      ['/kept/json/other?a=1', {}],
      ['/kept/json/other', { headers: { host: 'other.example' } }],
      ['/kept/json/other', { headers: { 'accept-language': 'de' } }],
      ['/kept/json/other', { headers: { 'x-device': '1' } }],
    ];
    for (const round of [1, 0]) {
      const [runs] = await runsWhile(async () => {
        for (const [path, options] of others) await ask(path, options);
      });
      expect(runs).toBe(others.length * round);
    }
  });

  it('is neither kept beyond the cap, nor held back', async () => {
    const [runs, [first, again]] = await twice('/kept/file/large?bytes=200000');
    expect([runs, first.body.length, again.headers['x-cache']]).toEqual([2, 200_704, undefined]);
  });

  it('is not kept when it breaks off, streams events, or is written past the gateway', async () => {
    const broken = await runsWhile(async () => {
      for (let i = 0; i < 2; i += 1) await ask('/kept/broken/a').catch(() => undefined);
    });
    expect(broken[0]).toBe(2);
    const [live, [event]] = await twice('/kept/live/a');
    expect([live, event.text]).toEqual([2, expect.stringMatching(/^data: \d+\n\n$/)]);
    const [raw, [text]] = await twice('/kept/raw/a');
    expect([raw, text.text]).toEqual([2, expect.stringMatching(/^run \d+$/)]);
  });

  it('is compressed for who wants that, stored or not', async () => {
    const headers = { 'accept-encoding': 'gzip' };
    const [runs, [first, again]] = await twice('/kept/small/a', { headers });
    expect(runs).toBe(1);
    for (const answer of [first, again]) {
      expect(answer.headers['content-encoding']).toBe('gzip');
      expect(gunzipSync(answer.body).toString()).toContain('"run":');
    }
    expect(again.headers['x-cache']).toBe('HIT');
  });

  it('is kept for a while when it says that there is none', async () => {
    const [runs, [first, again]] = await twice('/kept/missing/a');
    expect([runs, first.status, again.status, again.headers['x-cache']]).toEqual([1, 404, 404, 'HIT']);
    expect(again.json()).toMatchObject({ code: first.json()['code'] });
    handlers.failure = () => Promise.reject(new Error('a bug'));
    expect((await twice('/kept/missing/b'))[0]).toBe(2);
  });

  it('is gone after a change, and after a purge by key, prefix and tag', async () => {
    handlers.fields = { 'cache-tag': 'red' };
    const isGoneAfter = async (happen: () => Promise<unknown>): Promise<boolean> => {
      await ask('/kept/json/gone');
      await happen();
      return (await runsWhile(() => ask('/kept/json/gone')))[0] === 1;
    };
    const { host } = new URL(holder.shop.gateway.url);
    const [name = ''] = host.split(':');
    const purge = (order: object) => () =>
      call(`${holder.shop.gateway.adminUrl}/cache/purge`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(order),
      });
    expect(await isGoneAfter(() => ask('/kept/json/gone', { method: 'PATCH' }))).toBe(true);
    expect(await isGoneAfter(purge({ key: `${name}/kept/json/gone` }))).toBe(true);
    expect(await isGoneAfter(purge({ prefix: `${name}/kept/json/` }))).toBe(true);
    expect(await isGoneAfter(purge({ tag: 'red' }))).toBe(true);
    expect(await isGoneAfter(purge({ tag: 'blue' }))).toBe(false);
  });

  it('is told of by the listing, by explain and by the contract', async () => {
    await ask('/kept/json/told');
    const { adminUrl } = holder.shop.gateway;
    const listed = (await call(`${adminUrl}/routes`)).json<readonly Record<string, unknown>[]>();
    const route = listed.find(({ id }) => id === 'kept.json');
    expect(route?.['stages']).toBe('size → deadline → cache');
    const explained = await call(`${adminUrl}/explain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        request: 'GET /kept/json/told',
        headers: [`host: ${holder.shop.gateway.url.slice(7)}`, 'connection: keep-alive'],
      }),
    });
    expect(explained.json()['answered']).toEqual({
      by: 'cache',
      what: expect.stringMatching(/^a stored 200, fresh for another 3\d{3}s$/),
    });
    const { paths } = (await ask('/openapi.json')).json<OpenApiDocument>();
    const { get, patch } = paths['/kept/json/{id}'] as { readonly get: Operation; readonly patch: Operation };
    const { responses } = get;
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['200', '304', '504']));
    for (const status of ['200', '304'])
      expect(Object.keys((responses[status] as { headers: object }).headers)).toEqual(
        expect.arrayContaining(['Cache-Status', 'X-Cache', 'Age']),
      );
    expect(Object.keys(patch.responses)).not.toContain('304');
  });

  it('is counted and shown as at a proxied route', async () => {
    await twice('/kept/json/counted');
    const metrics = await holder.shop.metrics();
    expect(metrics).toMatch(/gatehouse_cache_requests_total\{route="kept\.json",result="hit"\} \d/);
    expect(metrics).toMatch(/gatehouse_cache_requests_total\{route="kept\.json",result="miss"\} \d/);
    const post = await ask('/kept/json/a', { method: 'PATCH' });
    expect(post.headers).not.toHaveProperty('x-cache');
  });
});

describe('a condition of a client', () => {
  it('is met from the store, and by an answer that a handler has just given', async () => {
    const first = await ask('/kept/json/tagged');
    const { etag } = first.headers;
    expect(etag).toMatch(/^W\/"[\w-]{27}"$/);
    const headers = { 'if-none-match': `"other", ${etag}` };
    const [runs, stored] = await runsWhile(() => ask('/kept/json/tagged', { headers }));
    expect([runs, stored.status, stored.body.length, stored.headers['x-cache']]).toEqual([0, 304, 0, 'HIT']);
    expect(stored.headers).toMatchObject({ etag, age: '0' });
    expect(stored.headers).not.toHaveProperty('content-type');
    expect(stored.headers).not.toHaveProperty('content-length');

    handlers.fields = { etag: '"own"' };
    const own = { 'if-none-match': '"own"' };
    const fresh = await ask('/kept/json/own-tag', { headers: own });
    expect([fresh.status, fresh.body.length, fresh.headers['cache-status']]).toEqual([
      304,
      0,
      'gatehouse; fwd=uri-miss; fwd-status=200; stored',
    ]);
    expect((await ask('/kept/json/own-tag')).headers).toMatchObject({ etag: '"own"', 'x-cache': 'HIT' });
  });

  it('is answered with a range of what is stored', async () => {
    const whole = await ask('/kept/text/range');
    const part = await ask('/kept/text/range', { headers: { range: 'bytes=0-2' } });
    expect([part.status, part.text, part.headers['content-range']]).toEqual([
      206,
      'run',
      `bytes 0-2/${whole.body.length}`,
    ]);
  });

  it('may be for what is stored only, or for what is not', async () => {
    const only = { headers: { 'cache-control': 'only-if-cached' } };
    expect((await ask('/kept/json/only', only)).status).toBe(504);
    await ask('/kept/json/only');
    expect((await ask('/kept/json/only', only)).headers['x-cache']).toBe('HIT');
    const anew = { headers: { 'cache-control': 'no-cache' } };
    expect((await runsWhile(() => ask('/kept/json/only', anew)))[0]).toBe(1);
  });
});
