import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../src/config/config-fault.ts';
import { call, type Answer, type CallOptions } from '../support/client.ts';
import { checkGateway, startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const CONFIG = `
version: 1
defaults: { policies: { authentication: public } }
identity: { apiKeys: [{ sha256: ${'a'.repeat(64)}, clientId: app }] }
routes:
  - { id: old, match: { path: /old/* }, redirect: { to: 'https://new.example.com/{*}', status: 308 } }
  - { id: user, match: { path: '/u/{id}/{tab}' }, redirect: { to: '/users?tab={tab}&id={id}' } }
  - { id: bare, match: { path: /bare }, redirect: { to: 'http://new.example.com:8080', status: 301, query: drop } }
  - { id: asked, match: { methods: [POST], path: /asked }, redirect: { to: /answer, status: 303 } }
  - { id: found, match: { path: /found }, redirect: { to: '/a%20b', status: 302 } }
  - { id: robots, match: { path: /robots.txt }, respond: { body: "User-agent: *\\n" } }
  - id: maintenance
    match: { path: /maintenance/* }
    respond: { status: 503, headers: { Retry-After: '120', Content-Type: application/json }, body: '{"why":"späte Stunde","internal":1}' }
    policies:
      transform: { response: { maskFields: [internal], setHeaders: { x-seen: '1' } } }
  - { id: nothing, match: { path: /nothing }, respond: { status: 204 } }
  - { id: empty, match: { path: /empty }, respond: {} }
  - id: guarded
    match: { path: /guarded }
    respond: { body: secret }
    policies: { authentication: { schemes: [apiKey] } }
  - id: limited
    match: { path: /limited }
    redirect: { to: /elsewhere }
    policies: { rateLimit: { key: ip, rate: 1, per: 1h } }
`;

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway({ config: CONFIG });
});
afterAll(() => gateway.stop());

const ask = (path: string, options?: CallOptions): Promise<Answer> => call(gateway.url + path, options);

describe('a route with `redirect`', () => {
  it.each([
    ['/old/a/b%20c?x=1&y=2', 308, 'https://new.example.com/a/b%20c?x=1&y=2'],
    ['/old', 308, 'https://new.example.com/'],
    ['/old/', 308, 'https://new.example.com/'],
    ['/u/1/posts', 307, '/users?tab=posts&id=1'],
    // What `to` sets has the last word; the rest of the query goes along.
    ['/u/1/posts?id=2&page=3', 307, '/users?tab=posts&id=1&page=3'],
    ['/u/a&admin=1/x', 307, '/users?tab=x&id=a%26admin%3D1'],
    ['/bare?x=1', 301, 'http://new.example.com:8080/'],
    ['/found?a', 302, '/a%20b?a'],
  ])('sends %s elsewhere, with %i', async (path, status, location) => {
    const answer = await ask(path);
    expect(answer.status).toBe(status);
    expect(answer.headers.location).toBe(location);
    expect(answer.headers).toMatchObject({ 'content-length': '0', 'x-request-id': expect.any(String) });
    expect(answer.text).toBe('');
  });

  it('answers every method that it takes, with or without a body', async () => {
    expect((await ask('/asked', { method: 'POST', body: 'x=1' })).headers.location).toBe('/answer');
    expect((await ask('/asked')).status).toBe(405);
    const head = await ask('/old/x', { method: 'HEAD' });
    expect([head.status, head.headers.location]).toEqual([308, 'https://new.example.com/x']);
    expect((await ask('/old/x', { method: 'PUT', body: 'x' })).status).toBe(308);
  });

  it('meets the policies of its route first', async () => {
    expect((await ask('/limited')).status).toBe(307);
    expect((await ask('/limited')).status).toBe(429);
  });
});

describe('a route with `respond`', () => {
  it('answers with what stands in the file', async () => {
    const answer = await ask('/robots.txt?x');
    expect([answer.status, answer.text]).toEqual([200, 'User-agent: *\n']);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '14',
    });
  });

  it('says the same to HEAD, without the body', async () => {
    const answer = await ask('/robots.txt', { method: 'HEAD' });
    expect([answer.status, answer.headers['content-length'], answer.text]).toEqual([200, '14', '']);
  });

  it('goes through the stages of the way out, like any answer', async () => {
    const answer = await ask('/maintenance/x', { method: 'POST', body: 'ignored' });
    expect([answer.status, answer.json()]).toEqual([503, { why: 'späte Stunde' }]);
    expect(answer.headers).toMatchObject({
      'retry-after': '120',
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength('{"why":"späte Stunde"}')),
      'x-seen': '1',
    });
  });

  it('has no body where there is none', async () => {
    const [nothing, empty] = await Promise.all([ask('/nothing'), ask('/empty')]);
    expect([nothing.status, nothing.headers['content-length'], nothing.text]).toEqual([204, undefined, '']);
    expect([empty.status, empty.headers['content-length'], empty.headers['content-type']]).toEqual([
      200,
      '0',
      undefined,
    ]);
  });

  it('is for those whom its policies let in', async () => {
    expect((await ask('/guarded')).status).toBe(401);
  });
});

describe('the contract', () => {
  it('tells what these routes answer, and no fault of an upstream', async () => {
    const { paths } = (await ask('/openapi.json')).json<{
      paths: Record<string, Record<string, Operation>>;
    }>();
    const [redirect, respond] = [paths['/found']?.['get'], paths['/robots.txt']?.['get']];
    expect(redirect?.responses['302']?.headers).toHaveProperty('Location');
    expect(respond?.responses['200']?.content).toHaveProperty(['text/plain; charset=utf-8']);
    for (const { responses = {} } of [redirect, respond] as Operation[]) {
      expect(Object.keys(responses)).not.toContain('502');
    }
  });

  it('is what operators see', async () => {
    const listed = (await call(`${gateway.adminUrl}/routes`)).json<{ id: string; upstream: string }[]>();
    const shown = (id: string): string | undefined => listed.find((one) => one.id === id)?.upstream;
    expect(shown('old')).toBe('308 https://new.example.com/{*}');
    expect(shown('maintenance')).toBe('503');
  });
});

interface Operation {
  readonly responses: Record<string, { headers?: object; content?: object }>;
}

describe('a fault of the file', () => {
  let users: TestUpstream;
  beforeAll(async () => {
    users = await startUpstream();
  });
  afterAll(() => users.stop());

  async function faultsOf(route: string): Promise<readonly string[]> {
    const config = `version: 1
defaults: { policies: { authentication: public } }
upstreams: { users: { targets: ['${users.url}'] } }
routes:
  - { id: bad, match: { path: '/bad/{id}/*' }, ${route} }
`;
    try {
      await checkGateway({ config });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.faults.map(
        ({ key, line, message, suggestion = '' }) => `${line} ${key}: ${message}; ${suggestion}`,
      );
    }
    return [];
  }

  const TO = '5 routes[bad].redirect.to: ';
  it.each([
    ['redirect: { to: new.example.com }', `${TO}expected http:// or https:// and a host`],
    ['redirect: { to: "/x/{nope}" }', `${TO}there is no "nope" to take a value from`],
    ['redirect: { to: "/{*}/x" }', `${TO}expected {*} only at the end of the path`],
    ['redirect: { to: "/a/../b" }', `${TO}expected a percent-encoded path without empty and dot segments`],
    ['redirect: { to: "/a#b" }', `${TO}expected a percent-encoded path`],
    ['redirect: { to: /a, status: 304 }', 'routes[bad].redirect.status: '],
    ['redirect: { to: /a, statsu: 301 }', 'unknown key'],
    ['redirect: {}', 'routes[bad].redirect: expected `to`, or some of scheme'],
    ['respond: { status: 304 }', 'routes[bad].respond.status: expected another status'],
    ['respond: { status: 199 }', 'routes[bad].respond.status: '],
    ['respond: { status: 204, body: x }', 'routes[bad].respond.body: expected no `body`'],
    ['respond: { headers: { "a b": x } }', 'expected a header field name'],
    ['respond: { headers: { Content-Length: "5" } }', 'that does not frame the message'],
    ['respond: { headers: { a: x, A: y } }', 'expected each header field once'],
    // Two kinds of route in one.
    [
      'upstream: users, redirect: { to: /a }',
      '5 routes[bad].upstream: expected no `upstream` beside `redirect`',
    ],
    ['rewrite: { path: /b }, respond: {}', '5 routes[bad].rewrite: expected no `rewrite` beside `respond`'],
    ['redirect: { to: /a }, respond: {}', '5 routes[bad].redirect: expected no `redirect` beside `respond`'],
    [
      'aggregate: { calls: { a: { upstream: users, path: /a } } }, redirect: { to: /a }',
      '5 routes[bad].aggregate: expected no `aggregate` beside `redirect`',
    ],
    ['redirects: { to: /a }, upstream: users', '; redirect'],
    [
      'policies: {}',
      'expected the name of an upstream, or `aggregate` in its place, or `redirect`, or `respond`',
    ],
  ])('has a place: %s', async (route, message) => {
    expect(await faultsOf(route)).toEqual([expect.stringContaining(message)]);
  });

  it('is a body of more than 64KiB', async () => {
    const body = (bytes: number): string => `respond: { body: ${'x'.repeat(bytes)} }`;
    expect(await faultsOf(body(65_536))).toEqual([]);
    expect(await faultsOf(body(65_537))).toEqual([expect.stringContaining('expected at most 64KiB')]);
  });

  it.each([
    ['respond: { status: 599, headers: { x-a: "" } }'],
    ['redirect: { to: "https://[::1]:8443/x/{id}/{*}?from={*}", status: 301 }'],
    ['redirect: { to: "https://new.example.com?id={id}" }'],
  ])('is none: %s', async (route) => {
    expect(await faultsOf(route)).toEqual([]);
  });
});
