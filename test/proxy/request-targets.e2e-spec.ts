import { describe, expect, it } from '@jest/globals';
import { parseAnswer, speak, type Answer } from '../support/client.ts';
import { RawClient } from '../support/body-doors.ts';
import { API_KEY, useShop } from '../support/shop.ts';
import type { Echo } from '../support/upstream.ts';

const open = (id: string, match: object, policies = {}) => ({
  id,
  match,
  upstream: 'echo',
  policies: { authentication: 'public', ...policies },
});

const holder = useShop({
  routes: [
    open('of-a', { hosts: ['a.example'], path: '/*' }),
    open('of-b', { hosts: ['b.example'], path: '/*' }),
    open('stored', { path: '/stored' }, { cache: { ttl: '1h', scope: 'public' } }),
    open('any', { path: '/api/*' }),
    open('gets', { methods: ['GET'], path: '/gets' }),
  ],
});

async function say(line: string, fields = 'Host: gateway\r\n', version = '1.1'): Promise<Answer> {
  return parseAnswer(await speak(holder.shop.gateway.url, `${line} HTTP/${version}\r\n${fields}\r\n`));
}

const routeOf = async (answer: Answer) => (await holder.shop.lineOf(answer))['route'];

describe('a target in absolute form', () => {
  it.each([
    ['http://a.example/x?y=1', '/x?y=1'],
    ['HTTP://a.example/x', '/x'],
    ['http://a.example:81/x', '/x'],
    ['http://a.example', '/'],
    ['http://a.example?y', '/?y'],
    ['http://a.example/%7ex', '/~x'],
  ])('is taken: %s', async (target, url) => {
    const answer = await say(`GET ${target}`, 'Host: a.example\r\n');
    expect(answer.status).toBe(200);
    expect(answer.json<Echo>().url).toBe(url);
  });

  it('says the host, whatever the field says', async () => {
    const answer = await say('GET http://b.example/x', 'Host: a.example\r\n');
    expect(await routeOf(answer)).toBe('of-b');
    expect(answer.json<Echo>().headers).toMatchObject({ 'x-forwarded-host': 'b.example' });
    expect(await routeOf(await say('GET http://b.example/x', 'Host:\r\n'))).toBe('of-b');
    expect(await routeOf(await say('GET http://b.example/x', '', '1.0'))).toBe('of-b');
  });

  it('opens a socket', async () => {
    const one = new RawClient(holder.shop.gateway.url);
    const fields = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
    const key =
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n';
    one.socket.write(
      `GET http://a.example/graphql HTTP/1.1\r\nHost: x\r\nX-API-Key: ${API_KEY}\r\n${fields}${key}\r\n`,
    );
    expect(await one.answer()).toMatch(/^HTTP\/1\.1 101 /);
    one.socket.destroy();
    const refused = new RawClient(holder.shop.gateway.url);
    refused.socket.write(`GET http://u@a/graphql HTTP/1.1\r\nHost: x\r\n${fields}${key}\r\n`);
    expect(await refused.answer()).toMatch(/^HTTP\/1\.1 400 /);
    refused.socket.destroy();
  });

  it('is what an answer is stored under', async () => {
    const hosts: unknown[] = [];
    holder.shop.echo.listener = (request, response) => {
      hosts.push(request.headers['x-forwarded-host']);
      response.writeHead(200, { 'cache-control': 'max-age=60' }).end(String(hosts.length));
    };
    await say('GET http://evil:1/stored', 'Host: gateway\r\n');
    await say('GET /stored', 'Host: gateway\r\n');
    await say('GET http://gateway/stored', 'Host: evil:1\r\n');
    expect(hosts).toEqual(['evil:1', 'gateway']);
  });
});

describe('OPTIONS *', () => {
  it.each(['*', 'http://gateway'])('is answered by the gateway: %s', async (target) => {
    const asked = holder.shop.echo.requests.length;
    const answer = await say(`OPTIONS ${target}`);
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE',
      date: expect.stringContaining(', '),
    });
    expect(answer.headers).not.toHaveProperty('content-length');
    expect(holder.shop.echo.requests.length).toBe(asked);
    expect(await holder.shop.lineOf(answer)).toMatchObject({ method: 'OPTIONS', status: 204 });
  });

  it('keeps its connection', async () => {
    const one = new RawClient(holder.shop.gateway.url);
    one.socket.write('OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await one.until((heard) => heard.endsWith('}'))).toMatch(/^HTTP\/1\.1 204 [^]*HTTP\/1\.1 404 /);
    one.socket.destroy();
  });
});
