import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AuthzServer } from '../support/authz-server.ts';
import { call, speak, type Answer, type CallOptions } from '../support/client.ts';
import { checkGateway, startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type Echo, type TestUpstream } from '../support/upstream.ts';

type Asked = Readonly<Record<string, unknown>>;

const external = (id: string, options: object): object => ({
  id,
  match: { path: `/${id}/*` },
  upstream: 'echo',
  policies: { externalAuthorization: { timeout: '500ms', ...options } },
});

const ROUTES = [
  external('opa', {
    upstream: 'decider',
    opa: { path: '/v1/data/gateway/allow', requestHeaders: ['x-purpose'] },
  }),
  external('kept', {
    upstream: 'decider',
    opa: { path: '/v1/data/gateway/allow' },
    cache: { ttl: '1h', max: 2 },
  }),
  external('open', { upstream: 'decider', opa: { path: '/v1/data/gateway/allow' }, onFault: 'allow' }),
  external('shadow', { upstream: 'decider', opa: { path: '/v1/data/gateway/allow' }, mode: 'shadow' }),
  external('forward', {
    upstream: 'decider',
    forward: {
      path: '/auth?a=1',
      headers: ['x-level'],
      passRefusal: true,
      refusalHeaders: ['location', 'www-authenticate'],
    },
  }),
  external('quiet', { upstream: 'decider', forward: { path: '/auth' } }),
  external('check', {
    upstream: 'checker',
    extAuthz: {
      context: { app: 'shop' },
      headers: ['x-level'],
      passRefusal: true,
      refusalHeaders: ['x-why'],
    },
  }),
];

const running: { gateway?: TestGateway; echo?: TestUpstream; decider?: TestUpstream; checker?: AuthzServer } =
  {};
let lastAsked: { request: IncomingMessage; body: string } | undefined;
let answer: (response: ServerResponse, input: Asked) => void;

function configOf(routes: readonly object[]): string {
  const calm = { circuitBreaker: 'off', retry: { attempts: 1 } };
  return JSON.stringify({
    version: 1,
    defaults: { policies: { authentication: 'public' } },
    upstreams: {
      echo: { targets: [running.echo?.url], ...calm },
      decider: { targets: [running.decider?.url], ...calm },
      checker: { protocol: 'grpc', targets: [running.checker?.url], ...calm },
    },
    routes,
  });
}

beforeAll(async () => {
  running.echo = await startUpstream();
  running.checker = await new AuthzServer().start();
  running.decider = await startUpstream((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = String(Buffer.concat(chunks));
      lastAsked = { request, body };
      answer(response, body === '' ? {} : (JSON.parse(body) as { input: Asked }).input);
    });
  });
  running.gateway = await startGateway({ config: configOf(ROUTES) });
});
afterAll(async () => {
  await running.gateway?.stop();
  running.checker?.stop();
  await Promise.all([running.echo?.stop(), running.decider?.stop()]);
});
beforeEach(() => {
  answer = (response) => response.end('{"result":true}');
  if (running.checker !== undefined) running.checker.decide = () => ({ status: { code: 0 } });
});

const ask = (path: string, options: CallOptions = {}): Promise<Answer> =>
  call((running.gateway?.url ?? '') + path, options);
const lastLine = async (one: Answer) =>
  (
    await running.gateway?.linesWhere(
      (line) => line['id'] === one.headers['x-request-id'] && line.msg === 'exchange',
    )
  )?.[0];

describe('an Open Policy Agent', () => {
  it('is asked by its data API, and lets in with true', async () => {
    expect((await ask('/opa/a%20b?q=1', { headers: { 'x-purpose': 'care', 'x-secret': 's' } })).status).toBe(
      200,
    );
    expect(lastAsked?.request).toMatchObject({ method: 'POST', url: '/v1/data/gateway/allow' });
    expect(JSON.parse(lastAsked?.body ?? '')).toEqual({
      input: {
        principal: null,
        request: {
          method: 'GET',
          host: '127.0.0.1',
          path: '/opa/a%20b',
          query: '?q=1',
          scheme: 'http',
          headers: { 'x-purpose': 'care' },
        },
        route: { id: 'opa', path: '/opa/*' },
        params: { '*': 'a b' },
        client: { ip: '127.0.0.1' },
      },
    });
  });

  it.each([
    ['{"result":true}', 200],
    ['{"result":{"allow":true}}', 200],
    ['{"result":false}', 403],
    ['{"result":{"allow":"true"}}', 403],
    ['{"result":"true"}', 403],
    ['{"result":[true]}', 403],
    // What is undefined has no result.
    ['{}', 403],
    ['{"allow":true}', 403],
    // No decision at all.
    ['true', 403],
    ['null', 503],
    ['', 503],
    ['{"result":true', 503],
  ])('that answers %s: %p', async (text, status) => {
    answer = (response) => response.end(text);
    const told = await ask('/opa/1');
    expect(told.status).toBe(status);
    if (status === 403) expect(told.json()).toMatchObject({ code: 'permission-denied' });
    if (status === 503) expect(told.json()).toMatchObject({ code: 'authorization-unavailable' });
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['fails', (response) => response.writeHead(500).end('{"result":true}')],
    ['answers something else', (response) => response.writeHead(404).end('{"result":true}')],
    ['breaks off', (response) => response.destroy()],
    ['is silent', () => undefined],
    ['answers too much', (response) => response.end(`{"result":true,"x":"${'x'.repeat(65 * 1024)}"}`)],
  ])('that %s lets nobody in, unless the route says so', async (_what, listener) => {
    answer = listener;
    const paths = ['/opa/1', '/open/1', '/shadow/1'];
    const [refused, passed, shadow] = (await Promise.all(paths.map((path) => ask(path)))) as [
      Answer,
      Answer,
      Answer,
    ];
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.json()).toMatchObject({ code: 'authorization-unavailable' });
    expect([passed.status, shadow.status]).toEqual([200, 200]);
    for (const one of [passed, shadow])
      expect(await lastLine(one)).toMatchObject({ shadowDenied: 'externalAuthorization: fault' });
  });

  it('in shadow lets everybody pass, and tells whom it would not', async () => {
    answer = (response) => response.end('{"result":false}');
    const passed = await ask('/shadow/1');
    expect(passed.status).toBe(200);
    expect(await lastLine(passed)).toMatchObject({ shadowDenied: 'externalAuthorization' });
    const metrics = (await call(`${running.gateway?.adminUrl ?? ''}/metrics`)).text;
    expect(metrics).toContain(
      'gatehouse_authorization_shadow_denied_total{route="shadow",by="externalAuthorization"}',
    );
    expect(metrics).toContain(
      'gatehouse_external_authorizations_total{route="shadow",outcome="denied",how="asked"}',
    );
  });

  it('is asked once for equal questions, and again for others', async () => {
    const count = () => running.decider?.requests.length ?? 0;
    const before = count();
    for (const path of ['/kept/1', '/kept/1', '/kept/2', '/kept/1']) await ask(path);
    expect(count() - before).toBe(2);
    answer = (response) => response.end('{"result":false}');
    // What was forgotten for two others is asked again, and a refusal is kept as well.
    expect([
      (await ask('/kept/3')).status,
      (await ask('/kept/3')).status,
      (await ask('/kept/2')).status,
    ]).toEqual([403, 403, 403]);
    expect(count() - before).toBe(4);
  });
});

describe('a service that is asked with GET', () => {
  const allow = (fields: Record<string, string | string[]>) => (response: ServerResponse) =>
    response.writeHead(204, fields).end();

  it('hears what is asked for, and of the fields what is named', async () => {
    answer = allow({});
    await ask('/forward/7?q=1', {
      method: 'POST',
      headers: { cookie: 'a=b', authorization: 'Bearer x', 'x-other': 'y', 'x-forwarded-uri': '/evil' },
    });
    expect(lastAsked?.request).toMatchObject({ method: 'GET', url: '/auth?a=1' });
    const headers = lastAsked?.request.headers;
    expect(headers).toMatchObject({
      cookie: 'a=b',
      authorization: 'Bearer x',
      'x-forwarded-method': 'POST',
      'x-forwarded-uri': '/forward/7?q=1',
      'x-forwarded-for': '127.0.0.1',
    });
    expect(headers?.['x-other']).toBeUndefined();
  });

  it('adds the fields that are named, and nothing else; the client cannot say them', async () => {
    answer = allow({
      'x-level': 'gold',
      'x-user-id': 'root',
      'x-admin': '1',
      host: 'evil',
      cookie: 'a=evil',
    });
    const told = (
      await ask('/forward/7', { headers: { 'x-level': 'forged', X_Level: 'forged', cookie: 'a=b' } })
    ).json<Echo>();
    expect(told.headers).toMatchObject({ 'x-level': 'gold', cookie: 'a=b' });
    for (const name of ['x-user-id', 'x-admin', 'x_level']) expect(told.headers[name]).toBeUndefined();
    expect(told.headers['host']).not.toBe('evil');
    answer = allow({});
    const without = (await ask('/forward/7', { headers: { 'x-level': 'forged' } })).json<Echo>();
    expect(without.headers['x-level']).toBeUndefined();
  });

  it('is not contradicted by a trailer', async () => {
    answer = allow({ 'x-level': 'gold' });
    const head = 'POST /forward/7 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n';
    const told = await speak(
      running.gateway?.url ?? '',
      `${head}Trailer: x-level, x-mine\r\n\r\n1\r\na\r\n0\r\nX_Level: forged\r\nx-level: forged\r\nx-mine: 1\r\n\r\n`,
    );
    expect(told).toMatch(/^HTTP\/1\.1 200 /);
    expect(running.echo?.requests.at(-1)?.rawTrailers).toEqual(['x-mine', '1']);
  });

  it('refuses in its own words where the route passes them on, with the fields that are named', async () => {
    answer = (response) =>
      response
        .writeHead(302, { location: '/login', 'set-cookie': 'a=b', 'content-type': 'text/html' })
        .end('go');
    const told = await ask('/forward/7');
    expect([told.status, told.headers['location'], told.headers['set-cookie'], told.text]).toEqual([
      302,
      '/login',
      undefined,
      'go',
    ]);
    expect(told.headers['content-type']).toBe('text/plain; charset=utf-8');
    const quiet = await ask('/quiet/7');
    expect([quiet.status, quiet.headers['location'], quiet.json()]).toEqual([
      403,
      undefined,
      expect.objectContaining({ code: 'permission-denied' }),
    ]);
  });

  it.each([401, 403, 404, 429])('that answers %p refuses', async (status) => {
    answer = (response) => response.writeHead(status).end();
    expect([(await ask('/forward/7')).status, (await ask('/quiet/7')).status]).toEqual([status, 403]);
  });

  it.each([500, 501, 503])('that answers %p decides nothing', async (status) => {
    answer = (response) => response.writeHead(status).end();
    expect((await ask('/forward/7')).status).toBe(503);
  });
});

describe('a service that speaks ext_authz', () => {
  const field = (key: string, value: string) => ({ header: { key, value } });

  it('hears of the request, and adds the fields that are named', async () => {
    const checker = running.checker as AuthzServer;
    checker.decide = () => ({
      status: { code: 0 },
      httpResponse: {
        case: 'okResponse',
        value: { headers: [field('X-Level', 'gold'), field('x-admin', '1'), field('host', 'evil')] },
      },
    });
    const told = (
      await ask('/check/7?q=1', { headers: { authorization: 'Bearer x', 'x-level': 'forged' } })
    ).json<Echo>();
    expect(told.headers['x-level']).toBe('gold');
    expect(told.headers['x-admin']).toBeUndefined();
    const attributes = checker.last?.attributes;
    expect(attributes?.request?.http).toMatchObject({
      method: 'GET',
      path: '/check/7?q=1',
      headers: { authorization: 'Bearer x' },
      scheme: 'http',
    });
    expect(attributes?.source?.address?.socketAddress?.address).toBe('127.0.0.1');
    expect(attributes?.contextExtensions).toEqual({ app: 'shop' });
  });

  it('cannot smuggle fields in those that are named', async () => {
    (running.checker as AuthzServer).decide = () => ({
      status: { code: 0 },
      httpResponse: { case: 'okResponse', value: { headers: [field('x-level', 'gold\r\nx-user-id: root')] } },
    });
    const before = running.echo?.requests.length;
    expect((await ask('/check/7')).status).toBe(503);
    expect(running.echo?.requests.length).toBe(before);
  });

  it.each<[string, ReturnType<AuthzServer['decide']>, number, string]>([
    ['a status that is not OK', { status: { code: 7 } }, 403, ''],
    ['no status', {}, 403, ''],
    [
      'OK and a refusal',
      { status: { code: 0 }, httpResponse: { case: 'deniedResponse', value: { body: 'no' } } },
      403,
      'no',
    ],
    [
      'a refusal of its own',
      {
        status: { code: 7 },
        httpResponse: {
          case: 'deniedResponse',
          value: {
            status: { code: 401 },
            headers: [field('x-why', 'late'), field('set-cookie', 'a')],
            body: 'no',
          },
        },
      },
      401,
      'no',
    ],
    [
      'a refusal that is none',
      {
        status: { code: 7 },
        httpResponse: { case: 'deniedResponse', value: { status: { code: 200 }, body: 'no' } },
      },
      403,
      'no',
    ],
    ['silence', undefined, 503, 'cannot be found out'],
  ])('refuses with %s', async (_what, verdict, status, text) => {
    (running.checker as AuthzServer).decide = () => verdict;
    const told = await ask('/check/7');
    expect(told.status).toBe(status);
    expect(told.text).toContain(text);
    expect(told.headers['set-cookie']).toBeUndefined();
    expect(told.headers['x-why']).toBe(status === 401 ? 'late' : undefined);
  });
});

describe('what the configuration may say', () => {
  it.each<[object, RegExp]>([
    [
      { upstream: 'nobody', opa: { path: '/x' } },
      /policies\.externalAuthorization\.upstream.*there is no upstream "nobody"/,
    ],
    [{ upstream: 'checker', opa: { path: '/x' } }, /speaks grpc, expected one that speaks http/],
    [{ upstream: 'decider', extAuthz: {} }, /speaks http, expected one that speaks grpc/],
    [{ upstream: 'decider' }, /exactly one of opa, forward, extAuthz/],
    [{ upstream: 'decider', forward: { headers: ['X-User-Id'] } }, /for the gateway to say/],
    [{ upstream: 'decider', forward: { headers: ['content-length'] } }, /for the gateway to say/],
    [{ upstream: 'decider', forward: { refusalHeaders: ['connection'] } }, /for the gateway to say/],
  ])('%j: %p', async (options, message) => {
    await expect(checkGateway({ config: configOf([external('one', options)]) })).rejects.toThrow(message);
  });
});
