import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { RefusedError } from '../clients/answer.ts';
import { startTestGateway } from '../test-gateway.ts';
import type { RunningGateway } from '../running-gateway.ts';
import { FakeGrpc } from './fake-grpc.ts';
import { FakeHttp } from './fake-http.ts';

const DESCRIPTORS = 'config/descriptors/shop.binpb';
const calm = { circuitBreaker: 'off', retry: { attempts: 1 } };

describe('fakes behind a gateway', () => {
  let gateway: RunningGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({
      config: {
        version: 1,
        defaults: { policies: { authentication: 'public' } },
        upstreams: {
          things: { targets: ['http://a.internal', 'http://b.internal'], ...calm },
          orders: {
            protocol: 'grpc',
            descriptorSet: DESCRIPTORS,
            targets: ['grpc://orders.internal'],
            ...calm,
          },
        },
        routes: [
          { id: 'things', match: { path: '/*' }, upstream: 'things', webSocket: 'on' },
          { id: 'orders', upstream: 'orders', grpc: { service: 'shop.v1.Orders' } },
        ],
      },
    });
  });
  afterEach(() => gateway.resetUpstreams());
  afterAll(() => gateway.stop());

  it.each([
    [{ status: 418, body: 'short and stout' }, 418, undefined],
    [{ fault: 'reset' }, 502, 'upstream-unreachable'],
    [{ fault: 'garbage' }, 502, 'upstream-response-invalid'],
  ] as const)('an answer %j of HTTP is a %d to the client', async (given, status, code) => {
    gateway.http('things').on('GET /a', given);
    const answer = await gateway.client().get('/a');
    expect([answer.status, answer.problem?.code]).toEqual([status, code]);
  });

  it('cut bodies, and connections that are refused', async () => {
    gateway.http('things').on('/a', { body: { long: 'x'.repeat(1000) }, fault: 'cut' });
    await expect(gateway.client().get('/a')).rejects.toThrow(/the answer was cut off after \d+ bytes, status 200/);
    await gateway.http('things').refuse();
    expect((await gateway.client().get('/a')).problem?.code).toBe('upstream-unreachable');
    await gateway.http('things').accept();
    gateway.http('things').on('/a', { body: 'back' });
    expect((await gateway.client().get('/a')).text).toBe('back');
  }); // prettier-ignore

  it('answers in their turn, and says what it has no answer for', async () => {
    const client = gateway.client();
    gateway.http('things').on('GET /a', [{ status: 500 }, { body: { done: true } }]);
    const statuses = [await client.get('/a'), await client.get('/a'), await client.get('/a')];
    expect(statuses.map(({ status }) => status)).toEqual([500, 200, 200]);
    const none = await client.post('/b?x=1', { a: 1 });
    expect([none.status, none.text]).toEqual([
      501,
      'the fake service things has no answer for POST /b?x=1; it has GET /a',
    ]);
    expect(gateway.http('things').calls()).toBe(4);
    expect(gateway.http('things').requestsTo('POST /b')[0]?.json()).toEqual({ a: 1 });
    expect(new Set(gateway.http('things').requests.map(({ target }) => target))).toEqual(
      new Set(['http://a.internal', 'http://b.internal']),
    );
  });

  it('WebSockets, with somebody at the other end', async () => {
    gateway.http('things').onSocket('/chat/*', async (socket) => {
      const heard = await socket.next();
      socket.send({ heard: heard?.text });
      await socket.close(4000, 'enough');
    });
    const socket = await gateway.client().socket('/chat/1');
    socket.send('hello');
    expect((await socket.next())?.json()).toEqual({ heard: 'hello' });
    expect([await socket.next(), await socket.ended()]).toEqual([
      undefined,
      { code: 4000, reason: 'enough' },
    ]);
    const refused = await gateway.client().socket('/other').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RefusedError);
  }); // prettier-ignore

  it('event streams', async () => {
    const body = 'event: a\nid: 1\ndata: {"n":1}\n\n: still there\n\ndata: two\ndata: lines\n\n';
    gateway.http('things').on('GET /events', { headers: { 'content-type': 'text/event-stream' }, body });
    const stream = await gateway.client().events('/events');
    const first = await stream.next();
    expect([first?.event, first?.id, first?.json()]).toEqual(['a', '1', { n: 1 }]);
    expect(await stream.rest()).toMatchObject([{ event: 'message', data: 'two\nlines' }]);
    await expect(gateway.client().events('/other')).rejects.toThrow(
      'the stream of events was refused: 501, text/plain, the fake service things has no answer for GET /other',
    );
  });

  it('gRPC, with messages, statuses and faults', async () => {
    const orders = gateway.grpc('orders');
    orders.on('GetOrder', ({ message }) => ({ message: { order: { id: message['id'] } } }));
    const client = gateway.client();
    expect((await client.get('/api/v3/orders/7')).json()).toMatchObject({ id: '7' });
    orders.on('GetOrder', { grpcStatus: 'NOT_FOUND', grpcMessage: 'gone' });
    expect((await client.get('/api/v3/orders/7')).status).toBe(404);
    orders.on('GetOrder', { fault: 'reset' });
    expect((await client.get('/api/v3/orders/7')).status).toBe(502);
    expect((await client.get('/api/v3/orders')).status).toBe(501);
    expect(orders.calls()).toBe(4);
    expect(() => gateway.expectNoUpstreamCalls()).toThrow('shop.v1.Orders/GetOrder {"id":"7"}');
  });
});

describe('a fake that is asked for what makes no sense', () => {
  it.each([
    [{ status: 99 }, "users.on('/a'): status: "],
    [{ statuts: 500 }, "users.on('/a'): Unrecognized key"],
    [{ delay: 'soon' }, "users.on('/a'): delay: expected a duration"],
    [{ fault: 'refuse' }, "users.on('/a'): a whole service refuses connections: call refuse() on it"],
    [[], "users.on('/a'): expected an answer, or several, given none"],
  ])('%j is refused at the line that says it', async (given, message) => {
    const users = await FakeHttp.start('users');
    expect(() => users.on('/a', given as object)).toThrow(message);
    await users.stop();
  });

  it('names the methods that there are, and what does not fit a message', async () => {
    const orders = await FakeGrpc.start({ name: 'orders', descriptorSet: DESCRIPTORS });
    expect(() => orders.on('GetOrdr', {})).toThrow('there is no method "GetOrdr"; did you mean "GetOrder"?');
    expect(() => orders.on('GetOrder', { message: { order: { idd: '7' } } })).toThrow(/idd/);
    await orders.stop();
    expect(() => FakeGrpc.start({ name: 'x' })).toThrow('one of descriptorSet, proto and services');
    expect(() => FakeGrpc.start({ descriptorSet: 'none.binpb' })).toThrow('there is no file none.binpb');
  });

  it('tells at its end what a function of a test has thrown', async () => {
    const users = await FakeHttp.start('users');
    users.on('/a', () => {
      throw new Error('not like this');
    });
    await expect(fetch(`${users.url}/a`)).rejects.toThrow();
    await expect(users.stop()).rejects.toThrow('the fake service users: not like this');
  });
});
