import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { createApiKey } from '../../src/policies/authentication/api-keys/api-key.ts';
import { call, type Answer } from '../support/client.ts';
import type { ConfigError } from '../../src/config/config-fault.ts';
import { checkGateway, startGateway, type TestGateway } from '../support/gateway.ts';
import { json, urls } from '../support/aggregation.ts';
import { kindsMessage, KindsServer } from '../support/kinds-server.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const KEY = createApiKey();

let users: TestUpstream;
let kinds: KindsServer;
let gateway: TestGateway;
/** What the service answers for many, with its fields of the head. */
let many: unknown;
let head: Record<string, string>;

const user = (id: string | number, more = ''): string =>
  `{"id":${JSON.stringify(id)},"name":"of ${id}"${more}}`;

const allKinds = (fields: object): Buffer => {
  const message = kindsMessage('AllKinds');
  return Buffer.from(toBinary(message, create(message, fields as never)));
};

beforeAll(async () => {
  [users, kinds] = await Promise.all([startUpstream(), new KindsServer().start()]);
  gateway = await startGateway({ config: config(users.url, kinds.url) });
});
afterAll(async () => {
  await gateway.stop();
  await users.stop();
  kinds.stop();
});
beforeEach(() => {
  many = `{"items":[${user('b')},${user('a')}]}`;
  head = {};
  users.listener = (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://it');
    const id = decodeURIComponent(pathname.split('/').at(-1) ?? '');
    const body = pathname.endsWith('/users') ? many : user(id);
    json(body, head)(request, response);
  };
});
afterEach(() => {
  users.requests.length = 0;
  kinds.reset();
});

const config = (http: string, grpc: string): string => `
version: 1
defaults: { policies: { authentication: public, deadline: 5s } }
identity: { apiKeys: [{ sha256: ${KEY.sha256}, clientId: app-a }] }
upstreams:
  users: { targets: ['${http}'], circuitBreaker: off, retry: { attempts: 1 } }
  kinds: { protocol: grpc, descriptorSet: proto/test/kinds.binpb, targets: ['${grpc}'], circuitBreaker: off, retry: { attempts: 1 } }
routes:
  - id: two
    match: { path: '/two/{one}/{two}' }
    aggregate:
      calls:
        a: { upstream: users, path: '/users/{one}', batch: { path: '/users?ids={ids}', items: items, key: id } }
        b: { upstream: users, path: '/users/{two}', batch: { path: '/users?ids={ids}', items: items, key: id } }
  - id: after
    match: { path: /after }
    aggregate:
      calls:
        first: { upstream: users, path: /users/first }
        a: { upstream: users, path: '/users/{first.id}', batch: { path: '/users?ids={ids}', items: items, key: id } }
        b: { upstream: users, path: '/users/{first.name}', batch: { path: '/users?ids={ids}', items: items, key: id } }
  - id: required
    match: { path: '/required/{one}/{two}' }
    aggregate:
      calls:
        a: { upstream: users, required: true, path: '/users/{one}', batch: { path: '/users?ids={ids}', items: items, key: id } }
        b: { upstream: users, path: '/users/{two}', batch: { path: '/users?ids={ids}', items: items, key: id } }
  - id: three
    match: { path: '/three/{one}/{two}/{three}' }
    aggregate:
      calls:
        a: { upstream: users, path: '/users/{one}', batch: { path: '/users?ids={ids}', items: items, key: id, max: 2 } }
        b: { upstream: users, path: '/users/{two}', batch: { path: '/users?ids={ids}', items: items, key: id, max: 2 } }
        c: { upstream: users, path: '/users/{three}', batch: { path: '/users?ids={ids}', items: items, key: id, max: 2 } }
  - id: grouped
    match: { path: '/grouped/{one}/{two}/{three}' }
    aggregate:
      calls:
        a: { upstream: users, path: '/in/{query.t}/users/{one}', batch: { path: '/in/{query.t}/users?ids={ids}&lang=en', key: data.id, as: data } }
        b: { upstream: users, path: '/in/{query.t}/users/{two}', batch: { path: '/in/{query.t}/users?ids={ids}&lang=en', key: data.id, as: data } }
  - id: named
    match: { path: /named }
    aggregate:
      calls:
        a: { upstream: users, path: '/users/{query.a}', batch: { path: '/users?ids={ids}', items: items, key: id } }
        b: { upstream: users, path: '/users/{query.b}', batch: { path: '/users?ids={ids}', items: items, key: id } }
  - id: kept
    match: { path: '/kept/{one}/{two}' }
    policies: { authentication: { schemes: [apiKey] } }
    aggregate:
      calls:
        a: { upstream: users, path: '/users/{one}', cache: { ttl: 1h }, batch: { path: '/users?ids={ids}', items: items, key: id } }
        b: { upstream: users, path: '/users/{two}', cache: { ttl: 1h }, batch: { path: '/users?ids={ids}', items: items, key: id } }
  - id: rpc
    match: { path: '/rpc/{one}/{two}' }
    aggregate:
      calls:
        a: { upstream: kinds, grpc: test.v1.Kinds/Get, input: { stringValue: '{one}', maybe: 5 }, batch: { grpc: test.v1.Kinds/Pick, by: stringValue, ids: stringList, items: nestedList, key: name, as: nested } }
        b: { upstream: kinds, grpc: test.v1.Kinds/Get, input: { stringValue: '{two}', maybe: 5 }, batch: { grpc: test.v1.Kinds/Pick, by: stringValue, ids: stringList, items: nestedList, key: name, as: nested } }
      response: { a: a.nested.name, b: b.nested.name }
`;

const ask = (path: string, key?: string): Promise<Answer> =>
  call(gateway.url + path, key === undefined ? {} : { headers: { 'x-api-key': key } });

describe('calls of a route that declare the same batch', () => {
  it('are one request, and each has its element, with all digits', async () => {
    many = `{"items":[${user('b', ',"n":12345678901234567890')},${user('a')},${user('c')}]}`;
    const { text } = await ask('/two/a/b');
    expect(text).toBe(`{"a":${user('a')},"b":${user('b', ',"n":12345678901234567890')}}`);
    expect(urls(users)).toEqual(['/users?ids=a,b']);
  });

  it('find elements by ids that are numbers', async () => {
    many = `{"items":[${user(8)},{"id":12345678901234567890}]}`;
    const { text } = await ask('/two/12345678901234567890/8');
    expect(text).toBe(`{"a":{"id":12345678901234567890},"b":${user(8)}}`);
  });

  it('are one request also when they have waited for another call', async () => {
    many = `{"items":[${user('first')},${user('of first')}]}`;
    expect((await ask('/after')).json()).toMatchObject({ a: { id: 'first' }, b: { id: 'of first' } });
    expect(urls(users)).toEqual(['/users/first', '/users?ids=first,of%20first']);
  });

  it('are the plain call for one id, and for an id with a comma', async () => {
    await ask('/two/a/a');
    expect(urls(users)).toEqual(['/users/a']);
    users.requests.length = 0;
    expect((await ask('/two/a%2Cb/c')).json()).toMatchObject({ a: { id: 'a,b' }, b: { id: 'c' } });
    expect(urls(users).sort()).toEqual(['/users/a%2Cb', '/users/c']);
  });

  it('are several requests beyond `max`', async () => {
    many = `{"items":[${user('a')},${user('b')}]}`;
    expect((await ask('/three/a/b/c')).json()).toMatchObject({
      a: { id: 'a' },
      b: { id: 'b' },
      c: { id: 'c' },
    });
    expect(urls(users).sort()).toEqual(['/users/c', '/users?ids=a,b']);
  });

  it('carry the values that are no id, and give the answer the shape that it has for one', async () => {
    many = `[{"data":{"id":"b"}},{"data":{"id":"a"}}]`;
    expect((await ask('/grouped/a/b/c?t=x%26y')).json()).toEqual({
      a: { data: { data: { id: 'a' } } },
      b: { data: { data: { id: 'b' } } },
    });
    expect(urls(users)).toEqual(['/in/x%26y/users?ids=a,b&lang=en']);
  });

  it('refuse a value that would lead elsewhere, each by itself', async () => {
    expect((await ask('/named?a=..%2Fadmin&b=b')).json()).toMatchObject({
      a: null,
      b: { id: 'b' },
      degraded: [{ section: 'a', code: 'request-invalid', via: 'null' }],
    });
    expect(urls(users)).toEqual(['/users/b']);
  });

  it('keep what they read, each under its own id', async () => {
    await ask('/kept/a/b', KEY.key);
    expect((await ask('/kept/b/a', KEY.key)).json()).toMatchObject({ a: { id: 'b' }, b: { id: 'a' } });
    expect(urls(users)).toEqual(['/users?ids=a,b']);
    expect(users.requests[0]?.headers['x-client-id']).toBe('app-a');
  });

  it('are as fresh as the answer for many says', async () => {
    head = { 'cache-control': 'max-age=30' };
    expect((await ask('/two/a/b')).headers['cache-control']).toBe('max-age=30');
    head = { 'cache-control': 'no-store' };
    expect((await ask('/two/a/b')).headers['cache-control']).toBe('no-store');
  });
});

describe('an answer for many', () => {
  it('that does not have an id fails its call alone', async () => {
    many = `{"items":[${user('b')}]}`;
    expect((await ask('/two/a/b')).json()).toMatchObject({
      a: null,
      b: { id: 'b' },
      degraded: [{ section: 'a', code: 'resource-not-found', via: 'null' }],
    });
    expect((await ask('/required/a/b')).status).toBe(404);
  });

  it('with an element that has no id fails those that are missing, because it may be one of them', async () => {
    many = `{"items":[{"name":"whose?"},${user('b')}]}`;
    expect((await ask('/two/a/b')).json()).toMatchObject({
      a: null,
      b: { id: 'b' },
      degraded: [{ section: 'a', code: 'upstream-response-invalid', via: 'null' }],
    });
  });

  it.each(['{"items":{}}', '{}', '[]', 'null', '5'])('that is %s fails all of them', async (answer) => {
    many = answer;
    expect((await ask('/two/a/b')).json()).toMatchObject({
      degraded: [
        { section: 'a', code: 'upstream-response-invalid' },
        { section: 'b', code: 'upstream-response-invalid' },
      ],
    });
  });

  it('that is an error fails all of them with it', async () => {
    users.listener = json('', {}, 500);
    const { degraded } = (await ask('/two/a/b')).json();
    expect(degraded).toMatchObject([{ code: 'upstream-rejected' }, { code: 'upstream-rejected' }]);
    expect(users.requests).toHaveLength(1);
  });
});

describe('calls over gRPC that declare the same batch', () => {
  it('are one call, with the other fields of the message', async () => {
    kinds.answer = allKinds({ nestedList: [{ name: 'b' }, { name: 'a' }] });
    expect((await ask('/rpc/a/b')).json()).toEqual({ a: 'a', b: 'b' });
    expect(kinds.calls).toBe(1);
    const sent = fromBinary(kindsMessage('AllKinds'), kinds.lastBytes as Buffer);
    expect(sent).toMatchObject({ stringList: ['a', 'b'], maybe: 5, stringValue: '' });
  });

  it('have each the fault of its own id', async () => {
    kinds.answer = allKinds({ nestedList: [{ name: 'b' }] });
    expect((await ask('/rpc/a/b')).json()).toMatchObject({
      a: null,
      b: 'b',
      degraded: [{ section: 'a', code: 'resource-not-found' }],
    });
  });

  it('may each be the one whose element has no id', async () => {
    kinds.answer = allKinds({ nestedList: [{ name: '' }, { name: 'b' }] });
    expect((await ask('/rpc/a/b')).json()).toMatchObject({
      a: null,
      b: 'b',
      degraded: [{ section: 'a', code: 'upstream-response-invalid' }],
    });
  });

  it('are the plain call for one id', async () => {
    kinds.answer = allKinds({ nested: { name: 'a' } });
    expect((await ask('/rpc/a/a')).json()).toEqual({ a: 'a', b: 'a' });
    expect(fromBinary(kindsMessage('AllKinds'), kinds.lastBytes as Buffer)).toMatchObject({
      stringValue: 'a',
    });
    expect(kinds.calls).toBe(1);
  });
});

describe('the fields of a batch over gRPC', () => {
  const faultsOf = async (batch: string, input = "stringValue: '{id}'"): Promise<unknown> =>
    checkGateway({
      config: `
version: 1
defaults: { policies: { authentication: public } }
upstreams:
  kinds: { protocol: grpc, descriptorSet: proto/test/kinds.binpb, targets: ['${kinds.url}'] }
routes:
  - id: it
    match: { path: '/it/{id}' }
    aggregate:
      calls:
        a: { upstream: kinds, grpc: test.v1.Kinds/Get, input: { ${input} }, batch: { grpc: test.v1.Kinds/Pick, ${batch}, items: nestedList, as: nested } }
`,
    }).then(
      () => [],
      (error: unknown) =>
        (error as ConfigError).faults.map(({ key, message }) => [key?.split('.').at(-1), message]),
    );

  it.each([
    ['a text where numbers are taken', 'ids: int32List, key: name', undefined, [['ids', 'expected a list that takes every value of string_value; int32_list does not']]],
    ['a large number where small ones are taken', 'ids: int32List, key: name', "int64Value: '{id}'", [['ids', 'expected a list that takes every value of int64_value; int32_list does not']]],
    ['bytes', 'ids: stringList, key: name', "bytesValue: '{id}'", [['by', 'expected a field with one text or number; bytes_value is none']]],
    ['a small number where texts are taken', 'ids: stringList, key: name', "int32Value: '{id}'", []],
    ['a number of another encoding', 'ids: int32List, key: name', "sint32Value: '{id}'", []],
  ])('take whatever can be an id: %s', async (_what, batch, input, faults) => {
    expect(await faultsOf(batch, input)).toEqual(faults);
  }); // prettier-ignore
});
