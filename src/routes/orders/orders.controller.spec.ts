import { Global, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { GrpcService } from '../../../examples/services/grpc-service.ts';
import { startOrders } from '../../../examples/services/orders.ts';
import { Exchange } from '../../exchange/exchange.ts';
import { fastifyOptions } from '../../pipeline/fastify-options.ts';
import { gatewayAdapter } from '../../pipeline/gateway-adapter.ts';
import { ProblemFilter } from '../../problems/problem.filter.ts';
import { controllerRoutes } from '../../routing/sources/controller.route-source.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { TelemetryModule } from '../../telemetry/telemetry.module.ts';
import { continueTrace } from '../../telemetry/trace-context.ts';
import { BOB } from '../../upstreams/grpc/call.fixture.ts';
import { UpstreamRegistry } from '../../upstreams/upstream-registry.ts';
import { Upstreams } from '../../upstreams/upstreams.ts';
import { upstreamSchema } from '../../upstreams/upstream.schema.ts';
import { OrdersController } from './orders.controller.ts';
import { OrdersModule } from './orders.module.ts';
import { schemaPipe } from '../../policies/validation/schema.pipe.ts';

// The feature by itself: real HTTP in front, the real service behind, an exchange as the guards leave it.
describe(OrdersController.name, () => {
  let service: GrpcService;
  let app: NestFastifyApplication;
  let origin: string;
  let close: () => unknown;

  beforeAll(async () => {
    service = (await startOrders()) as unknown as GrpcService;
    const orders = upstreamSchema.parse({ protocol: 'grpc', targets: [service.url], circuitBreaker: 'off' });

    const logger = createLogger('silent', { write() {} });
    const registry = new UpstreamRegistry({ orders }, logger, new Metrics());
    close = () => registry.close();

    @Global()
    @Module({
      providers: [
        { provide: Upstreams, useValue: { of: (_: Exchange, name: string) => registry.get(name) } },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
      exports: [Upstreams],
    })
    class GatewayStandIn {}

    const telemetry = TelemetryModule.forRoot(logger);
    const testing = await Test.createTestingModule({
      imports: [telemetry, GatewayStandIn, OrdersModule],
    }).compile();
    app = testing.createNestApplication<NestFastifyApplication>(gatewayAdapter(fastifyOptions(logger)));
    app.useGlobalPipes(schemaPipe);
    app
      .getHttpAdapter()
      .getInstance()
      .addHook('onRequest', (request, reply, done) => {
        request.exchange = new Exchange({
          id: 'request-1',
          trace: continueTrace(undefined, undefined),
          clientAddress: '127.0.0.1',
          scheme: 'http',
          host: 'localhost',
          path: request.url,
          query: '',
          request: request.raw,
          response: reply.raw,
        });
        request.exchange.principal = BOB;
        done();
      });
    await app.listen(0, '127.0.0.1');
    origin = await app.getUrl();
  });

  afterEach(async () => {
    await service.fault('none');
    service.requests.reset();
  });

  afterAll(async () => {
    await app.close();
    await close();
    await service.stop();
  });

  const get = (path: string) => fetch(`${origin}/api/v1/orders${path}`);
  const post = (body: unknown) =>
    fetch(`${origin}/api/v1/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  it('lists the orders of the caller in pages', async () => {
    const first = (await (await get('?pageSize=2')).json()) as {
      orders: { id: string }[];
      nextPageToken: string;
    };
    expect(first.orders.map(({ id }) => id)).toEqual(['ord-1008', 'ord-1005']);
    const rest = await (await get(`?pageSize=2&pageToken=${first.nextPageToken}`)).json();
    expect(rest).toMatchObject({ orders: [{ id: 'ord-1003', status: 'cancelled' }, { id: 'ord-1001' }] });
    expect(rest).not.toHaveProperty('nextPageToken');
  });

  it('lists only what has the status that was asked for', async () => {
    expect(await (await get('?status=paid')).json()).toMatchObject({ orders: [{ id: 'ord-1005' }] });
  });

  it('shows one order', async () => {
    const answer = await get('/ord-1001');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      id: 'ord-1001',
      userId: '2',
      status: 'shipped',
      items: [{ sku: 'BOOK-1', quantity: 2 }],
      totalCents: '3980',
      currency: 'EUR',
      createdAt: '2026-10-01T09:00:00.000Z',
    });
  });

  it.each(['/ord-1002', '/ord-9', `/${'x'.repeat(90)}`])('answers 404 for %s', async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toContain('json');
  });

  it('places an order and says where it is', async () => {
    const answer = await post({ items: [{ sku: 'LAMP-7', quantity: 3 }], note: 'Grüße' });
    const placed = (await answer.json()) as { id: string };
    expect(answer.status).toBe(201);
    expect(placed).toMatchObject({ userId: '2', status: 'pending', totalCents: '13500', note: 'Grüße' });
    expect(answer.headers.get('location')).toBe(`/api/v1/orders/${placed.id}`);
    expect(await (await get(`/${placed.id}`)).json()).toEqual(placed);
  });

  it.each([
    [{}, ['/items']],
    [null, ['']],
    [{ items: [] }, ['/items']],
    [{ items: [{ sku: 'MUG-3', quantity: 'SECRET' }] }, ['/items/0/quantity']],
    [
      { items: [{ quantity: 0 }, { sku: 'SECRET'.repeat(20), quantity: 1.5 }] },
      ['/items/0/sku', '/items/0/quantity', '/items/1/sku', '/items/1/quantity'],
    ],
    [{ items: [{ sku: 'MUG-3', quantity: 1 }], userId: 'SECRET' }, ['']],
    [{ items: [{ sku: 'MUG-3', quantity: 1 }], note: 'SECRET'.repeat(100) }, ['/note']],
  ])('says where %j is wrong without repeating it', async (body, pointers) => {
    const answer = await post(body);
    const problem = (await answer.json()) as { code: string; errors: { pointer: string; message: string }[] };
    expect([answer.status, problem.code]).toEqual([400, 'request-invalid']);
    expect(problem.errors.map(({ pointer }) => pointer)).toEqual(pointers);
    expect(JSON.stringify(problem)).not.toContain('SECRET');
    expect(service.requests.total).toBe(0);
  });

  it.each([
    'pageSize=0',
    'pageSize=101',
    'pageSize=ten',
    'pageSize=1&pageSize=2',
    'status=lost',
    'pagesize=3',
  ])('refuses the query %s', async (query) => {
    const answer = await get(`?${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 'request-invalid', errors: [{}] });
  });

  it('lists at most fifty mistakes', async () => {
    const answer = await post({ items: Array.from({ length: 100 }, () => ({})) });
    expect(((await answer.json()) as { errors: unknown[] }).errors).toHaveLength(50);
  });

  it('turns what the service refuses into a 400 without its words', async () => {
    const answer = await post({ items: [{ sku: 'NO-SUCH', quantity: 1 }] });
    expect(answer.status).toBe(400);
    expect(await answer.text()).not.toContain('BOOK-1');
  });

  it.each([
    ['fail', 502, 'upstream-rejected'],
    ['unavailable', 502, 'upstream-unreachable'],
    ['garbage', 502, 'upstream-response-invalid'],
    ['dead', 502, 'upstream-unreachable'],
  ] as const)('answers a problem when the service is in the mode %s', async (fault, status, code) => {
    await service.fault(fault);
    const answer = await get('/ord-1001');
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer.json()).toMatchObject({ code, instance: 'urn:gatehouse:exchange:request-1' });
  });

  it('declares its policies', () => {
    const declared = controllerRoutes([OrdersController]).map(({ id, match, policies }) => [
      `${id}: ${match.methods.join()} ${match.path}`,
      Object.keys(Object.assign({}, ...policies) as object).toSorted(),
    ]);
    const always = ['authentication', 'circuitBreaker', 'deadline', 'rateLimit'];
    expect(Object.fromEntries(declared)).toEqual({
      'orders.list: GET /api/v1/orders': always,
      'orders.get: GET /api/v1/orders/{id}': always,
      'orders.create: POST /api/v1/orders': ['authentication', 'authorization', ...always.slice(1)],
    });
  });
});
