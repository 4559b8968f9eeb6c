import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { GrpcService } from '../../../examples/services/grpc-service.ts';
import { startOrders } from '../../../examples/services/orders.ts';
import { Orders } from '../../routes/services/gen/shop/v1/orders_pb.ts';
import { Problem } from '../../problems/problem.ts';
import { BOB, CallBed, exchangeFor, problemOf, until } from './call.fixture.ts';
import { GrpcCaller } from './grpc-caller.ts';

const { getOrder, createOrder } = Orders.method;
const READ = { timeoutMs: Infinity, idempotent: true };

describe(GrpcCaller.name, () => {
  let one: GrpcService;
  let two: GrpcService;
  let bed: CallBed | undefined;

  beforeAll(async () => {
    one = (await startOrders()) as unknown as GrpcService;
    two = (await startOrders()) as unknown as GrpcService;
  });

  afterEach(async () => {
    await bed?.close();
    await Promise.all([one.fault('none'), two.fault('none')]);
    one.requests.reset();
    two.requests.reset();
  });

  afterAll(() => Promise.all([one.stop(), two.stop()]));

  function open(options: object = {}, targets: string[] = [one.url]): CallBed {
    bed = new CallBed({ orders: { protocol: 'grpc', targets, ...options } });
    return bed;
  }

  function read(from: CallBed, exchange = exchangeFor(), limits: object = {}): Promise<{ order?: unknown }> {
    const orders = from.upstreams.get('orders');
    return from.grpc.unary(orders, getOrder, { id: 'ord-1001' }, { ...READ, exchange, ...limits });
  }

  it('returns the message of the answer and notes the attempt', async () => {
    const exchange = exchangeFor();
    const from = open();
    const { order } = await from.grpc.unary(
      from.upstreams.get('orders'),
      getOrder,
      { id: 'ord-1001' },
      { exchange, timeoutMs: Infinity },
    );
    expect(order).toMatchObject({ id: 'ord-1001', userId: '2', totalCents: 3980n });
    expect(exchange.attempts).toMatchObject([{ target: one.url.slice(7), outcome: 'OK' }]);
    expect(exchange.upstream).toBe('orders');
    expect(await from.metrics.registry.metrics()).toContain(
      'gatehouse_upstream_attempts_total{upstream="orders",outcome="OK"} 1',
    );
    expect(from.upstreams.get('orders').targets[0]?.inFlight).toBe(0);
  });

  it('sends the verified identity, the trace and the request id, and nothing else', async () => {
    await read(open(), exchangeFor({ tracestate: 'vendor=1' }));
    const sent = one.lastCall?.metadata.getMap() ?? {};
    expect(sent).toEqual(
      expect.objectContaining({
        'x-user-id': '2',
        'x-user-roles': 'user,reader',
        'x-user-email': 'bob@example.com',
        'x-client-id': 'web',
        'x-tenant-id': 'acme',
        'x-request-id': 'request-1',
        tracestate: 'vendor=1',
      }),
    );
    expect(sent['traceparent']).toMatch(
      new RegExp(`^00-${'a'.repeat(32)}-(?!${'b'.repeat(16)})[0-9a-f]{16}-01$`),
    );
    expect(Object.keys(sent).filter((name) => name.startsWith('x-'))).toHaveLength(6);
  });

  it('leaves a tracestate out that metadata cannot carry', async () => {
    await read(open(), exchangeFor({ tracestate: 'vendor=\u00e9' }));
    expect(one.lastCall?.metadata.get('tracestate')).toEqual([]);
  });

  it('names no user when there is none, and hides the refusal of its own credential', async () => {
    expect(await problemOf(read(open(), exchangeFor({ principal: undefined })))).toBe('upstream-rejected');
    expect(one.lastCall?.metadata.get('x-user-id')).toEqual([]);
  });

  it('passes on the time that is left', async () => {
    await read(open(), exchangeFor({ deadlineMs: 4000 }));
    expect(one.lastCall?.remainingMs).toBeGreaterThan(0);
    expect(one.lastCall?.remainingMs).toBeLessThanOrEqual(4001);
  });

  it.each([
    ['the limit of the call', { timeoutMs: 3000 }, {}],
    ['the first-byte timeout of the upstream', {}, { timeouts: { firstByte: '3s' } }],
  ])('passes on %s when that is shorter', async (_, limits, options) => {
    await read(open(options), exchangeFor({ deadlineMs: 60_000 }), limits);
    expect(one.lastCall?.remainingMs).toBeLessThanOrEqual(3001);
  });

  it('answers upstream-timeout when the time of the call is up', async () => {
    await one.fault({ slow: 30_000 });
    const exchange = exchangeFor({ deadlineMs: 60_000 });
    expect(await problemOf(read(open(), exchange, { timeoutMs: 50 }))).toBe('upstream-timeout');
    expect(exchange.attempts[0]?.outcome).toBe('DEADLINE_EXCEEDED');
    await until(() => one.requests.aborted === 1);
  });

  it('answers deadline-exceeded when the time of the request is up', async () => {
    await one.fault({ slow: 30_000 });
    expect(await problemOf(read(open(), exchangeFor({ deadlineMs: 50 })))).toBe('deadline-exceeded');
    expect(await problemOf(read(bed as CallBed, exchangeFor({ deadlineMs: 0 })))).toBe('deadline-exceeded');
    expect(one.requests.total).toBe(1);
  });

  it('cancels the call when the client goes away, and does not hold it against the target', async () => {
    await one.fault({ slow: 30_000 });
    const from = open({ circuitBreaker: { consecutiveFailures: 1 } });
    const exchange = exchangeFor();
    const outcome = problemOf(read(from, exchange));
    await until(() => one.requests.total === 1);
    exchange.cancel(new Problem('client-closed'));
    expect(await outcome).toBe('client-closed');
    await until(() => one.requests.aborted === 1);
    expect(exchange.attempts[0]?.outcome).toBe('client-closed');
    expect(from.upstreams.get('orders').targets[0]).toMatchObject({ available: true, inFlight: 0 });
  });

  it('makes no call for an exchange that has already ended', async () => {
    const exchange = exchangeFor();
    exchange.cancel(new Problem('client-closed'));
    expect(await problemOf(read(open(), exchange))).toBe('client-closed');
    expect(one.requests.total).toBe(0);
  });

  it('asks another target when one is dead', async () => {
    await one.fault('dead');
    const from = open({}, [one.url, two.url]);
    for (let i = 0; i < 4; i += 1) {
      const exchange = exchangeFor();
      await read(from, exchange);
      expect(exchange.attempts.at(-1)).toMatchObject({ target: two.url.slice(7), outcome: 'OK' });
    }
    expect(two.requests.total).toBe(4);
  });

  it('asks another target for a call with effects only when the first was never reached', async () => {
    const place = (from: CallBed) =>
      from.grpc.unary(
        from.upstreams.get('orders'),
        createOrder,
        { items: [{ sku: 'MUG-3', quantity: 1 }] },
        { exchange: exchangeFor(), timeoutMs: Infinity },
      );
    await one.fault('dead');
    const from = open({}, [one.url, two.url]);
    await Promise.all([place(from), place(from)]);
    expect(two.requests.by).toEqual({ 'shop.v1.Orders/CreateOrder': 2 });
    await one.fault('unavailable');
    await two.fault('unavailable');
    two.requests.reset();
    expect(await problemOf(place(from))).toBe('upstream-unreachable');
    expect(one.requests.total + two.requests.total).toBe(1);
  });

  it.each([
    ['fail', {}, 'upstream-rejected'],
    ['fail', { retry: { on: ['INTERNAL'] } }, 'no problem'],
    ['unavailable', { retry: { on: ['connect'] } }, 'upstream-unreachable'],
    [{ slow: 30_000 }, {}, 'upstream-timeout'],
    [{ slow: 30_000 }, { retry: { on: ['DEADLINE_EXCEEDED'] } }, 'no problem'],
  ] as const)(
    'asks another target for what the upstream names: %j with %j',
    async (fault, options, problem) => {
      await one.fault(fault);
      // The second one has the first turn.
      const from = open({ timeouts: { firstByte: '200ms' }, ...options }, [two.url, one.url]);
      expect(await problemOf(read(from))).toBe(problem);
      expect(two.requests.total).toBe(problem === 'no problem' ? 1 : 0);
    },
  );

  it('stops asking when the budget for retries is spent', async () => {
    await Promise.all([one.fault('unavailable'), two.fault('unavailable')]);
    const from = open({ retry: { attempts: 2, budget: '10%' }, circuitBreaker: 'off' }, [one.url, two.url]);
    for (let i = 0; i < 10; i += 1) expect(await problemOf(read(from))).toBe('upstream-unreachable');
    // Three to start with, and one earned by ten requests.
    expect(one.requests.total + two.requests.total).toBe(14);
  });

  it('opens the breaker after failures, lets one probe through and closes again', async () => {
    await one.fault('fail');
    const from = open({ circuitBreaker: { consecutiveFailures: 3, openFor: '50ms' } });
    for (let i = 0; i < 3; i += 1) expect(await problemOf(read(from))).toBe('upstream-rejected');
    expect(await problemOf(read(from))).toBe('circuit-open');
    expect(one.requests.total).toBe(3);
    await one.fault('none');
    const [target] = from.upstreams.get('orders').targets;
    await until(() => target?.available === true);
    const both = await Promise.allSettled([read(from), read(from)]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(one.requests.total).toBe(4);
    await read(from);
  });

  it('finds a target again that was dead', async () => {
    await one.fault('dead');
    const from = open({ circuitBreaker: 'off' });
    expect(await problemOf(read(from))).toBe('upstream-unreachable');
    await one.fault('none');
    let answered = false;
    while (!answered) answered = (await problemOf(read(from))) === 'no problem';
    expect(answered).toBe(true);
  });

  it('answers upstream-response-invalid for bytes that are not the message', async () => {
    await one.fault('garbage');
    const exchange = exchangeFor();
    expect(await problemOf(read(open(), exchange))).toBe('upstream-response-invalid');
    expect(exchange.attempts[0]?.outcome).toBe('invalid');
  });

  it('answers request-invalid for a value that the message cannot carry', async () => {
    const from = open();
    const input = { items: [{ sku: 'MUG-3', quantity: 2 ** 40 }] };
    const limits = { exchange: exchangeFor(), timeoutMs: Infinity };
    const call = from.grpc.unary(from.upstreams.get('orders'), createOrder, input, limits);
    expect(await problemOf(call)).toBe('request-invalid');
    expect(one.requests.total).toBe(0);
  });

  it('never makes a 500 of something that does not speak gRPC', async () => {
    const server: Server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('SSH-2.0-OpenSSH_9.6\r\n');
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const from = open({}, [`grpc://127.0.0.1:${(server.address() as AddressInfo).port}`]);
    expect(await problemOf(read(from, exchangeFor({ deadlineMs: 5000 })))).toBe('upstream-unreachable');
    server.close();
  });

  it('names each upstream of a composed answer once', async () => {
    const exchange = exchangeFor({ principal: BOB });
    exchange.upstream = 'users,feed';
    const from = open();
    await Promise.all([read(from, exchange), read(from, exchange)]);
    expect(exchange.upstream).toBe('users,feed,orders');
    expect(exchange.attempts.map(({ outcome }) => outcome)).toEqual(['OK', 'OK']);
  });

  it('refuses calls once it is closed', async () => {
    const from = open();
    await read(from);
    from.grpc.close();
    expect(await problemOf(read(from))).toBe('shutting-down');
  });
});
