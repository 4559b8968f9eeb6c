import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RawClient } from '../support/body-doors.ts';
import { parseAnswer, speak } from '../support/client.ts';
import { startShop, type Shop } from '../support/shop.ts';
import { startUpstream, type Echo, type TestUpstream } from '../support/upstream.ts';

const open = (id: string, upstream: string, more: object = {}) => ({
  id,
  match: { path: `/${id}/*` },
  upstream,
  policies: { authentication: 'public' },
  ...more,
});

let behind: TestUpstream;
let shop: Shop;

beforeAll(async () => {
  behind = await startUpstream();
  const to = (options: object) => ({ targets: [behind.url], circuitBreaker: 'off', ...options });
  shop = await startShop({
    upstreams: () => ({
      plain: to({}),
      keeps: to({ host: 'keep' }),
      named: to({ host: 'api.example.com:8443' }),
      standard: to({ forwarded: 'rfc7239', via: 'edge-1' }),
      both: to({ forwarded: 'both' }),
      lost: { targets: ['http://127.0.0.1:1'], circuitBreaker: 'off', via: 'edge-1' },
    }),
    routes: [
      open('plain', 'plain'),
      open('lost', 'lost'),
      open('keeps', 'keeps'),
      open('named', 'named'),
      open('standard', 'standard'),
      open('both', 'both', { rewrite: { stripPrefix: '/both' } }),
      open('kept', 'plain', { host: 'keep' }),
      open('own', 'keeps', { host: 'own.example' }),
      open('back', 'named', { host: 'target' }),
      open('prefixed', 'plain', { rewrite: { stripPrefix: '/prefixed/' } }),
      open('hidden', 'standard', { rewrite: { stripPrefix: '/hidden' } }),
      open('guarded', 'plain', { policies: {} }),
      { ...open('gets', 'plain'), match: { methods: ['GET'], path: '/gets' } },
      { ...open('asks', 'plain'), match: { methods: ['OPTIONS', 'PUT'], path: '/gets' } },
    ],
  });
});

afterAll(() => Promise.all([shop.stop(), behind.stop()]));

async function told(
  path: string,
  fields = '',
  version = '1.1',
  host = 'Host: a.example:80\r\n',
): Promise<Echo> {
  const bytes = `GET ${path} HTTP/${version}\r\n${host}${fields}\r\n`;
  const answer = parseAnswer(await speak(shop.gateway.url, bytes));
  expect(answer.status).toBe(200);
  return answer.json<Echo>();
}

const target = () => new URL(behind.url).host;

describe('the Host of a proxied request', () => {
  it.each([
    ['/plain/x', undefined],
    ['/keeps/x', 'a.example:80'],
    ['/kept/x', 'a.example:80'],
    ['/named/x', 'api.example.com:8443'],
    ['/own/x', 'own.example'],
    ['/back/x', undefined],
  ])('is what the upstream or the route says: %s', async (path, host) => {
    const { headers, rawHeaders } = await told(path);
    expect(headers['host']).toBe(host ?? target());
    expect(headers['x-forwarded-host']).toBe('a.example:80');
    expect(rawHeaders.filter((_, i) => i % 2 === 0 && rawHeaders[i]?.toLowerCase() === 'host')).toHaveLength(
      1,
    );
  });

  it('is the one that the target of the request says', async () => {
    expect((await told('http://b.example/keeps/x')).headers['host']).toBe('b.example');
  });

  it('is that of the target where the client has said none', async () => {
    expect((await told('/keeps/x', '', '1.0', '')).headers['host']).toBe(target());
  });
});

describe('how an upstream is told of the way', () => {
  it('is by X-Forwarded-* fields', async () => {
    const { headers } = await told(
      '/plain/x',
      'Forwarded: for=1.2.3.4\r\nX-Forwarded-Prefix: /evil\r\nVia: 1.0 own\r\n',
    );
    expect(headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.example:80',
      via: '1.0 own',
    });
    expect(headers).not.toHaveProperty('forwarded');
    expect(headers).not.toHaveProperty('x-forwarded-prefix');
  });

  it('is said to the client by the same Via, after what the service says, and in no problem of ours', async () => {
    const via = async (path: string): Promise<readonly string[]> => {
      const heard = await speak(
        shop.gateway.url,
        `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      );
      return Array.from(String(heard).matchAll(/^via: (.*?)\r$/gim), ([, value]) => value as string);
    };
    expect([await via('/standard/x'), await via('/plain/x'), await via('/lost/x')]).toEqual([
      ['1.1 edge-1'],
      [],
      [],
    ]);
    const { listener } = behind;
    behind.listener = (_, response) => response.writeHead(200, { via: '1.1 inner' }).end('ok');
    const both = await via('/standard/x');
    behind.listener = listener;
    expect(both).toEqual(['1.1 inner', '1.1 edge-1']);
  });

  it('is by Forwarded and Via where the upstream says so', async () => {
    const { headers } = await told(
      '/standard/x',
      'Forwarded: for=1.2.3.4\r\nX-Forwarded-For: 1.2.3.4\r\nVia: 1.0 own\r\n',
    );
    expect(headers).toMatchObject({
      forwarded: 'for=127.0.0.1;proto=http;host="a.example:80"',
      via: '1.0 own, 1.1 edge-1',
    });
    expect(Object.keys(headers).filter((name) => name.startsWith('x-forwarded'))).toEqual([]);
    expect((await told('/standard/x', '', '1.0')).headers['via']).toBe('1.0 edge-1');
  });

  it('is by both where the upstream says so', async () => {
    const { headers } = await told('/both/x');
    expect(headers).toMatchObject({
      forwarded: 'for=127.0.0.1;proto=http;host="a.example:80"',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-prefix': '/both',
    });
    expect(headers).not.toHaveProperty('via');
  });

  it.each([
    ['/prefixed/x', '/prefixed'],
    ['/plain/x', undefined],
    ['/hidden/x', undefined],
  ])('tells the prefix that was taken away: %s', async (path, prefix) => {
    expect((await told(path, 'X-Forwarded-Prefix: /evil\r\n')).headers['x-forwarded-prefix']).toBe(prefix);
  });
});

describe('Max-Forwards', () => {
  const ask = async (method: string, hops: string, fields = '', path = '/plain/x?y') => {
    const bytes = `${method} ${path} HTTP/1.1\r\nHost: a\r\nMax-Forwards: ${hops}\r\n${fields}\r\n`;
    return parseAnswer(await speak(shop.gateway.url, bytes));
  };

  it.each(['OPTIONS', 'TRACE'])('of %s is one less further on', async (method) => {
    expect((await ask(method, '5')).json<Echo>().headers['max-forwards']).toBe('4');
    expect((await ask(method, '1')).json<Echo>().headers['max-forwards']).toBe('0');
    expect((await ask(method, '999999999')).json<Echo>().headers['max-forwards']).toBe('255');
    const twice = await ask(method, '3', 'Max-Forwards: 200\r\n');
    expect(twice.json<Echo>().headers['max-forwards']).toBe('2');
  });

  it("of another method is nobody's business", async () => {
    expect((await ask('GET', '0')).json<Echo>().headers['max-forwards']).toBe('0');
  });

  it('of 0 ends an OPTIONS', async () => {
    const asked = behind.requests.length;
    const answer = await ask('OPTIONS', '0');
    expect(answer.status).toBe(204);
    expect(answer.headers['allow']).toContain('TRACE');
    expect(behind.requests.length).toBe(asked);
    expect(await shop.lineOf(answer)).toMatchObject({ route: 'plain', status: 204 });
    const some = await ask('OPTIONS', '0', '', '/gets');
    expect(some.headers['allow']).toBe('GET, HEAD, OPTIONS, PUT');
  });

  it('of 0 ends a TRACE', async () => {
    const asked = behind.requests.length;
    const answer = await ask('TRACE', '0', 'X-Own: 1\r\n');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('message/http');
    expect(answer.text).toMatch(/^TRACE \/plain\/x\?y HTTP\/1\.1\r\nhost: a\r\n[^]*x-own: 1\r\n\r\n$/);
    expect(behind.requests.length).toBe(asked);
  });

  it.each(['-1', 'x', '1.5', '0x1', ''])('is a number: %j', async (hops) => {
    expect((await ask('TRACE', hops)).status).toBe(400);
  });

  it('is not looked at before the client is known', async () => {
    const one = new RawClient(shop.gateway.url);
    one.socket.write('OPTIONS /guarded/x HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n');
    expect(await one.answer()).toMatch(/^HTTP\/1\.1 401 /);
    one.socket.destroy();
  });
});
