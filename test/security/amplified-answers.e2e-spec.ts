import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { aggregationConfig, get, json, type Aggregation } from '../support/aggregation.ts';
import { startGateway } from '../support/gateway.ts';
import { startTcpUpstream, startUpstream } from '../support/upstream.ts';

const ROUTES = `
  - id: each
    match: { path: /each }
    aggregate:
      calls: { a: { upstream: users, path: /a, required: true } }
      response: { list: { each: a, as: { id: item.id, name: item.name } } }
  - id: picked
    match: { path: /picked }
    aggregate:
      calls: { a: { upstream: users, path: /a, required: true } }
      response: { list: { from: a, pick: [email, name] } }
  - id: few
    match: { path: /few }
    aggregate:
      maxElements: 3
      calls: { a: { upstream: users, path: /a, required: true }, b: { upstream: feed, path: /b, required: true } }
      response: { one: { each: a, as: item }, two: { from: b, pick: [id] } }
  - id: copied
    match: { path: /copied }
    aggregate:
      calls: { a: { upstream: users, path: /a, required: true }, b: { upstream: feed, path: /b, required: true } }
      response: { list: { each: a, as: b } }
  - id: small
    match: { path: /small }
    aggregate:
      maxAnswer: 100B
      calls: { a: { upstream: users, path: /a, required: true } }
  - id: whole
    match: { path: /whole }
    aggregate:
      calls: { a: { upstream: users, path: /a, required: true } }
      response: { list: a }
  - id: values
    match: { path: '/values/{id}' }
    aggregate:
      calls: { a: { upstream: users, path: '/users/{query.v}/orders', required: true } }
  - id: proxied
    match: { path: /proxied/* }
    upstream: users`;

const behind = {} as { -readonly [Key in keyof Aggregation]: Aggregation[Key] };

beforeAll(async () => {
  [behind.users, behind.feed] = await Promise.all([startUpstream(), startUpstream()]);
  behind.broken = await startTcpUpstream((socket) => socket.destroy());
  behind.gateway = await startGateway({ config: aggregationConfig(behind, ROUTES) });
});
afterEach(() => {
  behind.users.requests.length = 0;
});
afterAll(async () => {
  await behind.gateway.stop();
  await Promise.all([behind.users.stop(), behind.feed.stop(), behind.broken.stop()]);
});

const REFUSED = { status: 502, code: 'upstream-response-invalid' };
const listOf = (length: number, item = '1'): string => `[${new Array<string>(length).fill(item).join()}]`;

/** What the gateway says when the users upstream answers this. */
async function outcome(path: string, text: string): Promise<Record<string, unknown>> {
  behind.users.listener = json(text);
  return (await get(behind, path)).json() as Record<string, unknown>;
}

describe('a list that each element of is mapped', () => {
  it.each([['/each'], ['/picked']])('has 10 000 elements at most: %s', async (path) => {
    expect((await outcome(path, listOf(10_000)))['list']).toHaveLength(10_000);
    expect(await outcome(path, listOf(10_001))).toMatchObject(REFUSED);
    expect(await outcome(path, listOf(500_000))).toMatchObject(REFUSED);
  });

  it('has as many as the route says, together with the others of the answer', async () => {
    behind.feed.listener = json('[{"id":1}]');
    expect(await outcome('/few', '[1,2]')).toEqual({ one: [1, 2], two: [{ id: 1 }] });
    expect(await outcome('/few', '[1,2,3]')).toMatchObject(REFUSED);
  });

  it('is a fault of an upstream, which the log names, with the key', async () => {
    await outcome('/each', listOf(10_001));
    const [line] = await behind.gateway.linesWhere((one) => JSON.stringify(one).includes('maxElements'));
    expect(line).toMatchObject({ route: 'each', status: 502 });
  });
});

describe('a composed answer', () => {
  it('is 4 MiB at most, however often it holds the same', async () => {
    behind.feed.listener = json(JSON.stringify('x'.repeat(500_000)));
    expect((await outcome('/copied', listOf(8)))['list']).toHaveLength(8);
    expect(await outcome('/copied', listOf(9))).toMatchObject(REFUSED);
    expect(await outcome('/copied', listOf(10_000))).toMatchObject(REFUSED);
  });

  it('is as large as the route says', async () => {
    const text = (bytes: number): string => JSON.stringify('x'.repeat(bytes - '{"a":""}'.length));
    expect(await outcome('/small', text(100))).toHaveProperty('a');
    expect(await outcome('/small', text(101))).toMatchObject(REFUSED);
  });

  it('has what an upstream nested 128 deep, and nothing deeper', async () => {
    const lists = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(JSON.stringify(await outcome('/whole', lists(128)))).toBe(`{"list":${lists(128)}}`);
    expect(await outcome('/whole', lists(129))).toMatchObject(REFUSED);
    expect(await outcome('/whole', lists(400_000))).toMatchObject(REFUSED);
  });
});

describe('a value that is no segment of a path', () => {
  it.each(['..', '.. ', ' ..', '..\u00a0', '..;', '..%20', '%2e%2e', '%252e.'])(
    'makes no call: %j in the query',
    async (value) => {
      const { json: body } = await get(behind, `/values/1?v=${encodeURIComponent(value)}`);
      expect(body()).toMatchObject({ status: 400, code: 'request-invalid' });
      expect(behind.users.requests).toHaveLength(0);
    },
  );

  it.each(['/proxied/..%20/admin', '/proxied/%2e%2e%20', '/values/..%20', '/proxied/.%C2%A0/x'])(
    'is refused in the path of a request: %s',
    async (path) => {
      expect((await get(behind, path)).json()).toMatchObject({ status: 400, code: 'request-malformed' });
      expect(behind.users.requests).toHaveLength(0);
    },
  );
});
