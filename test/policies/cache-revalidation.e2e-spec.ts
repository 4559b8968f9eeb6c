import { beforeEach, describe, expect, it } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { call as askAdmin, type Answer } from '../support/client.ts';
import { useShop, type RouteInput, type ShopCall } from '../support/shop.ts';

const OPEN = { authentication: 'public' };
const route = (id: string, cache: object = {}, policies: object = {}): RouteInput => ({
  id,
  match: { path: `/${id}/*` },
  upstream: 'echo',
  policies: { ...OPEN, cache: { ttl: '0s', scope: 'public', ...cache }, ...policies },
});
const COST = { key: 'global', rate: 100, per: '1h', cost: { answerHeader: 'x-cost' } };

const holder = useShop({
  routes: [
    route('plain'),
    route('costly', {}, { rateLimit: COST }),
    route('coded', { ttl: '1h' }, { compression: {} }),
    route('small', { ttl: '1h', compress: 'on' }),
    route(
      'masked',
      { ttl: '1h', compress: 'on' },
      { transform: { response: { maskFields: ['secret'] } }, compression: {} },
    ),
  ],
});

let asked: IncomingMessage[] = [];
let behave: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(() => {
  asked = [];
  holder.shop.echo.listener = (request, response) => {
    asked.push(request);
    behave(request, response);
  };
});

const call = (path: string, options?: ShopCall): Promise<Answer> => holder.shop.call(path, options);
const of = (language: string, more: object = {}): ShopCall => ({
  headers: { 'accept-language': language, ...more },
});

/** Answers by language with tags of their own, or with 304 for a tag that is named. */
function byLanguage(
  tags: Readonly<Record<string, string>>,
  more: Record<string, string> = {},
): typeof behave {
  return ({ headers }, response) => {
    const tag = tags[headers['accept-language'] ?? ''] ?? '"none"';
    const isKnown = headers['if-none-match']?.split(', ').includes(tag) === true;
    response.writeHead(isKnown ? 304 : 200, { etag: tag, vary: 'accept-language', ...more });
    response.end(isKnown ? undefined : `text of ${tag}`);
  };
}

describe('what is stored for others', () => {
  it('is asked about as well, and is the answer where the upstream says that it still is', async () => {
    behave = byLanguage({ en: '"e"', de: '"d"', at: '"d"', fr: '"f"' });
    await call('/plain/a', of('en'));
    await call('/plain/a', of('de'));
    const found = await call('/plain/a', of('at'));
    expect(asked.at(-1)?.headers['if-none-match']).toBe('"d", "e"');
    expect([found.text, found.headers['x-cache'], found.headers['etag']]).toEqual([
      'text of "d"',
      'REVALIDATED',
      '"d"',
    ]);
    expect((await call('/plain/a', of('fr'))).text).toBe('text of "f"');
    // By now it is its own.
    await call('/plain/a', of('at'));
    expect(asked.at(-1)?.headers['if-none-match']).toMatch(/^"d", /);
  });

  it('is not asked about by weak tags, in codings that the client cannot read, or in place of what it has', async () => {
    behave = byLanguage({ en: 'W/"e"', de: '"d"' }, { 'content-encoding': 'gzip' });
    await call('/plain/b', of('en'));
    await call('/plain/b', of('de'));
    await call('/plain/b', of('fr'));
    expect(asked.at(-1)?.headers['if-none-match']).toBeUndefined();
    await call('/plain/b', of('at', { 'accept-encoding': 'gzip' }));
    // What was stored for French is one of them by now; the weak one is not.
    expect(asked.at(-1)?.headers['if-none-match']).toBe('"none", "d"');
    await call('/plain/b', of('ch', { 'accept-encoding': 'gzip', 'if-none-match': '"own"' }));
    expect(asked.at(-1)?.headers['if-none-match']).toBe('"own"');
  });

  it('is named up to a bound, and a 304 that does not say which one it means is a fault of the upstream', async () => {
    behave = byLanguage(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`l${at}`, `"${at}"`])));
    for (let at = 0; at < 20; at += 1) await call('/plain/c', of(`l${at}`));
    behave = (_, response) => void response.writeHead(304).end();
    expect((await call('/plain/c', of('other'))).status).toBe(502);
    expect(asked.at(-1)?.headers['if-none-match']?.split(', ')).toHaveLength(8);
  });
});

it('HEAD updates what is stored for GET, or ends its freshness', async () => {
  let fields: Record<string, string> = {};
  behave = (_, response) => void response.writeHead(200, fields).end('0123456789');
  const head = { method: 'HEAD', headers: { 'cache-control': 'no-cache' } };
  fields = { etag: '"a"', 'cache-control': 'max-age=100', 'x-more': '1', 'content-length': '10' };
  await call('/plain/head');
  await call('/plain/head', head);
  fields = { ...fields, 'x-more': '2' };
  await call('/plain/head', head);
  expect((await call('/plain/head')).headers).toMatchObject({ 'x-cache': 'HIT', 'x-more': '2' });
  fields = { ...fields, etag: '"b"' };
  await call('/plain/head', head);
  expect((await call('/plain/head')).headers['cache-status']).toMatch(/fwd=stale/);
});

it('an unsafe request ends groups of its host that its answer names, and no others', async () => {
  behave = ({ method, url }, response) => {
    const group = url?.endsWith('b') === true ? '"b"' : '"a", "c"';
    const fields =
      method === 'GET'
        ? { 'cache-control': 'max-age=100', 'cache-groups': group }
        : { 'cache-group-invalidation': '"a"' };
    response.writeHead(200, fields).end(`${asked.length}`);
  };
  const [a, b] = [await call('/plain/group/a'), await call('/plain/group/b')];
  await call('/plain/else', { method: 'POST' });
  expect((await call('/plain/group/b')).text).toBe(b.text);
  const again = await call('/plain/group/a');
  expect(again.text).not.toBe(a.text);
  // It is nothing of another variant that was purged.
  expect(again.headers['cache-status']).toMatch(/fwd=uri-miss/);
});

it('a 304 costs what it says itself, and nothing where it says nothing', async () => {
  let cost: string | undefined = '40';
  behave = ({ headers }, response) => {
    const isKnown = headers['if-none-match'] !== undefined;
    response.writeHead(isKnown ? 304 : 200, { etag: '"a"', ...(cost !== undefined && { 'x-cost': cost }) });
    response.end(isKnown ? undefined : 'text');
  };
  const left = async (): Promise<number> => {
    const { headers } = await call('/costly/a');
    expect(headers['x-cost']).toBeUndefined();
    return Number(/r=(\d+)/.exec(String(headers['ratelimit']))?.[1]);
  };
  // Each answer tells what was left before its own cost was known.
  await left();
  cost = '10';
  const afterFull = await left();
  cost = undefined;
  const afterTen = await left();
  expect(afterFull - afterTen).toBe(10);
  expect(afterTen - (await left())).toBeLessThanOrEqual(1);
});

describe('a body that is kept compressed', () => {
  const TEXT = JSON.stringify({
    secret: 'x',
    list: Array.from({ length: 2000 }, (_, at) => `item ${at % 10}`),
  });
  const serve: typeof behave = (_, response) =>
    void response.writeHead(200, { etag: '"a"', 'content-type': 'application/json' }).end(TEXT);
  const GZIP = { headers: { 'accept-encoding': 'gzip, br' } };

  /** Asks until the body is kept as small as it gets. */
  async function kept(path: string): Promise<void> {
    await call(path);
    while ((await call(path, { ...GZIP, method: 'HEAD' })).headers['content-length'] === undefined)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }

  it('is given as it is kept to who takes it, and as it was to others: whole, in parts, to HEAD', async () => {
    behave = serve;
    await kept('/coded/a');
    const gzip = await call('/coded/a', GZIP);
    expect(gzip.headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-length': String(gzip.body.length),
      etag: 'W/"a"',
      'x-cache': 'HIT',
    });
    expect(String(gzip.headers['vary']).toLowerCase()).toBe('accept-encoding');
    expect(gunzipSync(gzip.body).toString()).toBe(TEXT);
    const head = await call('/coded/a', { ...GZIP, method: 'HEAD' });
    expect([head.headers['content-length'], head.body.length]).toEqual([String(gzip.body.length), 0]);
    const known = await call('/coded/a', {
      headers: { 'accept-encoding': 'gzip', 'if-none-match': 'W/"a"' },
    });
    expect([known.status, known.headers['etag']]).toEqual([304, 'W/"a"']);
    for (const headers of [
      {},
      { 'accept-encoding': 'gzip;q=0' },
      { 'accept-encoding': 'gzip', 'cache-control': 'no-transform' },
    ]) {
      const plain = await call('/coded/a', { headers });
      expect(plain.text).toBe(TEXT);
      expect(plain.headers).toMatchObject({ etag: '"a"', 'content-length': String(TEXT.length) });
    }
    const part = await call('/coded/a', {
      headers: { 'accept-encoding': 'gzip', range: 'bytes=10-19', 'if-range': '"a"' },
    });
    expect([part.status, part.text, part.headers['content-range']]).toEqual([
      206,
      TEXT.slice(10, 20),
      `bytes 10-19/${TEXT.length}`,
    ]);
    expect((await call('/coded/a', { headers: { range: 'bytes=999999-' } })).status).toBe(416);
    expect(asked).toHaveLength(1);
  });

  it('is made by the route for who likes another coding better', async () => {
    behave = serve;
    await kept('/coded/b');
    const better = await call('/coded/b', { headers: { 'accept-encoding': 'br, gzip;q=0.5' } });
    expect(better.headers['content-encoding']).toBe('br');
  });

  it('is decoded where the route offers no coding, and to be edited', async () => {
    behave = serve;
    const before = await usage();
    for (const path of ['/small/a', '/small/a']) expect((await call(path, GZIP)).text).toBe(TEXT);
    while ((await usage()) - before > TEXT.length / 4) await new Promise((resolve) => setTimeout(resolve, 5));
    const small = await call('/small/a', GZIP);
    expect([small.text, small.headers['content-encoding'], small.headers['x-cache']]).toEqual([
      TEXT,
      undefined,
      'HIT',
    ]);
    await call('/masked/a');
    while ((await usage()) - before > TEXT.length / 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const masked = await call('/masked/a');
    expect(masked.headers['x-cache']).toBe('HIT');
    expect(masked.json()['secret']).not.toBe('x');
    expect(
      gunzipSync((await call('/masked/a', { headers: { 'accept-encoding': 'gzip' } })).body).toString(),
    ).not.toContain('"x"');
  });
});

const usage = async (): Promise<number> => {
  const { text } = await askAdmin(`${holder.shop.gateway.adminUrl}/cache`);
  return (JSON.parse(text) as { bytes: number }).bytes;
};
