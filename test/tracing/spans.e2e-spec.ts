import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CollectedSpan } from '../support/collected-spans.ts';
import { Collector, otelVariables, setVariables } from '../support/collector.ts';
import { openSession, SESSION_DOORS } from '../support/graphql-sessions.ts';
import { startShop, type Shop, type ShopCall } from '../support/shop.ts';

const open = { authentication: 'public' };
let collector: Collector;
let shop: Shop;
let restore: () => void;

beforeAll(async () => {
  collector = await new Collector().start();
  const variables = otelVariables(collector.url, {
    OTEL_SERVICE_NAME: 'edge',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.name=other',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=s3cret-of-the-collector',
  });
  restore = setVariables(variables);
  shop = await startShop({
    environment: () => variables,
    upstreams: () => ({
      gone: {
        targets: ['http://127.0.0.1:1'],
        circuitBreaker: 'off',
        retry: { attempts: 2, on: ['connect'] },
      },
    }),
    routes: [
      { id: 'echo', match: { path: '/echo/{id}' }, upstream: 'echo', policies: open },
      { id: 'gone', match: { path: '/gone' }, upstream: 'gone', policies: open },
      { id: 'closed', match: { path: '/closed' }, upstream: 'echo' },
      {
        id: 'cached',
        match: { path: '/cached' },
        upstream: 'echo',
        policies: { ...open, cache: { ttl: '1m' } },
      },
      {
        id: 'composed',
        match: { path: '/composed' },
        policies: open,
        aggregate: {
          calls: { users: { upstream: 'echo', path: '/u' }, feed: { upstream: 'feed', path: '/feed' } },
        },
      },
    ],
    more: { tracing: { trust: 'all', query: ['page'], requestHeaders: ['x-shown', 'authorization'] } },
  });
});
afterAll(async () => {
  await shop.stop();
  await collector.stop();
  restore();
});

let made = 0;

/** Makes a request in a trace of its own, and waits for the spans. */
async function traced(
  path: string,
  options: ShopCall = {},
  holds?: (spans: readonly CollectedSpan[]) => boolean,
): Promise<{ spans: readonly CollectedSpan[]; server: CollectedSpan; traceId: string }> {
  const traceId = (made += 1).toString(16).padStart(32, 'a');
  const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
  await shop.call(path, { ...options, headers: { traceparent, ...options.headers } });
  const spans = await collector.traceOf(traceId, holds);
  const server = spans.find(({ kind }) => kind === 'server');
  if (server === undefined) throw new Error(`there is no span of a server among ${spans.length}`);
  return { spans, server, traceId };
}

const childrenOf = (spans: readonly CollectedSpan[], { spanId }: CollectedSpan): readonly CollectedSpan[] =>
  spans.filter(({ parentId }) => parentId === spanId);

describe('the span of an exchange', () => {
  it('has the name and the attributes of the conventions for HTTP servers', async () => {
    const { server } = await traced('/echo/7?page=2&token=abc', { headers: { 'user-agent': 'probe/1' } });
    const port = Number(new URL(shop.gateway.url).port);
    expect(server).toMatchObject({
      name: 'GET /echo/{id}',
      parentId: '00f067aa0ba902b7',
      status: 'unset',
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/echo/{id}',
        'http.response.status_code': 200,
        'url.path': '/echo/7',
        'url.scheme': 'http',
        'url.query': 'page=2&token=REDACTED',
        'client.address': '127.0.0.1',
        'network.peer.address': '127.0.0.1',
        'network.protocol.version': '1.1',
        'server.address': '127.0.0.1',
        'server.port': port,
        'user_agent.original': 'probe/1',
        'gatehouse.route.id': 'echo',
      },
    });
    expect(server.endNs >= server.startNs).toBe(true);
    expect(server.attributes).not.toHaveProperty(['error.type']);
  });

  it('has no path in its name where no route takes it, and no fault for a 404', async () => {
    const { server } = await traced('/nowhere');
    expect(server).toMatchObject({
      name: 'GET',
      status: 'unset',
      attributes: {
        'http.response.status_code': 404,
        'gatehouse.refused.stage': 'match',
        'gatehouse.refused.code': 'route-not-found',
      },
    });
  });

  it('says who refused', async () => {
    const { server, spans } = await traced('/closed');
    expect(server.attributes).toMatchObject({
      'http.response.status_code': 401,
      'gatehouse.refused.stage': 'identify',
    });
    expect(spans.filter(({ kind }) => kind === 'client')).toEqual([]);
  });

  it('is a fault when no service answers, after attempts that say why', async () => {
    const { server, spans } = await traced('/gone');
    expect(server).toMatchObject({
      status: 'error',
      attributes: { 'error.type': 'upstream-unreachable', 'http.response.status_code': 502 },
    });
    const attempts = childrenOf(spans, server).filter(({ kind }) => kind === 'client');
    expect(attempts.map(({ attributes }) => attributes['http.request.resend_count'])).toEqual([undefined, 1]);
    for (const { status, attributes, name } of attempts) {
      expect([name, status]).toEqual(['GET', 'error']);
      expect(attributes).toMatchObject({
        'error.type': 'unreachable',
        'server.address': '127.0.0.1',
        'server.port': 1,
      });
    }
  });

  it('has no attempt for what is answered from the cache', async () => {
    await shop.call('/cached');
    const { server, spans } = await traced('/cached');
    expect(server.attributes['gatehouse.cache']).toBe('hit');
    expect(spans.filter(({ kind }) => kind === 'client')).toEqual([]);
  });
});

describe('the span of an attempt', () => {
  it('is what the service goes on with, and shows the URL without its values', async () => {
    const { server, spans, traceId } = await traced('/echo/7?page=2&token=abc');
    const [attempt, ...more] = childrenOf(spans, server);
    expect(more).toEqual([]);
    const { port } = new URL(shop.echo.url);
    expect(attempt).toMatchObject({
      name: 'GET',
      kind: 'client',
      status: 'unset',
      attributes: {
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'server.address': '127.0.0.1',
        'server.port': Number(port),
        'url.full': `http://127.0.0.1:${port}/echo/7?page=2&token=REDACTED`,
        'gatehouse.upstream': 'echo',
      },
    });
    expect(attempt?.attributes).not.toHaveProperty(['http.request.resend_count']);
    const heard = shop.echo.requests.at(-1)?.headers['traceparent'];
    expect(heard).toBe(`00-${traceId}-${attempt?.spanId}-01`);
  });
});

describe('composed answers', () => {
  it('have spans of their calls, below those of their parts', async () => {
    const { server, spans } = await traced('/composed');
    const sections = childrenOf(spans, server);
    expect(sections.map(({ name }) => name).toSorted()).toEqual([
      'section composed.feed',
      'section composed.users',
    ]);
    for (const section of sections) {
      const [call] = childrenOf(spans, section);
      expect(call).toMatchObject({ kind: 'internal', name: expect.stringMatching(/^call composed\./) });
      const [attempt] = childrenOf(spans, call as CollectedSpan);
      expect(attempt).toMatchObject({ kind: 'client', name: 'GET' });
    }
  });

  it('over gRPC have one span of a client for a call, and its attempts below', async () => {
    const { spans } = await traced('/api/v1/orders/1', { as: 'user' });
    const rpc = spans.find(({ name }) => name === 'shop.v1.Orders/GetOrder');
    expect(rpc).toMatchObject({
      kind: 'client',
      attributes: {
        'rpc.system.name': 'grpc',
        'rpc.method': 'shop.v1.Orders/GetOrder',
        'server.address': 'orders',
      },
    });
    const [attempt] = childrenOf(spans, rpc as CollectedSpan);
    expect(attempt).toMatchObject({ kind: 'internal', name: 'attempt orders' });
  });
});

describe('operations of GraphQL', () => {
  it('have a span of their own, with resolvers that make calls and the calls below', async () => {
    const query = 'query Feed { feed { id } }';
    const { spans, server } = await traced('/graphql', {
      as: 'user',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    const operation = spans.find(({ attributes }) => attributes['graphql.operation.type'] === 'query');
    expect(operation).toMatchObject({
      name: 'query',
      kind: 'internal',
      parentId: server.spanId,
      attributes: { 'graphql.operation.name': 'Feed' },
    });
    const resolver = spans.find(({ name }) => name.startsWith('resolver '));
    expect(resolver).toMatchObject({ parentId: operation?.spanId });
    expect(childrenOf(spans, resolver as CollectedSpan)[0]?.name).toMatch(/^call /);
  });
});

describe('a subscription', () => {
  it('has a span of its own, and one for each event that is sent when it is answered', async () => {
    const traceId = (made += 1).toString(16).padStart(32, 'd');
    const session = await openSession('socket', {
      url: shop.gateway.url,
      headers: {
        authorization: `Bearer ${await shop.services.identity.token('user')}`,
        traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      },
    });
    await session.ask({ query: 'subscription { notificationWatched(backlog: 1) { id } }' });
    const early = await collector.traceOf(traceId, (found) => found.length > 0);
    expect(early.map(({ name }) => name)).toEqual(['event subscription']);
    await session.close();
    const spans = await collector.traceOf(traceId, (found) =>
      found.some(({ name }) => name === 'subscription'),
    );
    const operation = spans.find(({ name }) => name === 'subscription');
    expect(operation?.spanId).toBe(early[0]?.parentId);
    const stream = spans.find(({ attributes }) => attributes['rpc.system.name'] === 'grpc');
    expect(stream).toMatchObject({ kind: 'client', name: 'shop.v1.Notifications/Watch' });
  });
});

describe.each(SESSION_DOORS)('an operation by the door "%s"', (door) => {
  it('is a part of the trace of its connection, with its call and the attempt below', async () => {
    const traceId = (made += 1).toString(16).padStart(32, 'c');
    const session = await openSession(door, {
      url: shop.gateway.url,
      headers: {
        authorization: `Bearer ${await shop.services.identity.token('user')}`,
        traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      },
    });
    await session.ask({ query: '{ feed { id } }' });
    await session.close();
    const spans = await collector.traceOf(traceId, (found) => {
      const parentId = found.find(({ name }) => name === 'query')?.parentId;
      return found.some(({ kind, spanId }) => kind === 'server' && spanId === parentId);
    });
    const servers = spans.filter(({ kind }) => kind === 'server').map(({ spanId }) => spanId);
    const operation = spans.find(({ name }) => name === 'query') as CollectedSpan;
    expect(servers).toContain(operation.parentId);
    const [resolver] = childrenOf(spans, operation);
    expect(resolver?.name).toBe('resolver Query.feed');
    const [called] = childrenOf(spans, resolver as CollectedSpan);
    expect(called?.name).toMatch(/^call feed/);
    expect(childrenOf(spans, called as CollectedSpan)[0]).toMatchObject({ kind: 'client', name: 'GET' });
  });
});

describe('all spans', () => {
  it('tell the service by the variables of OpenTelemetry, and the collector gets its header fields', async () => {
    await traced('/echo/1');
    expect(collector.batches[0]?.resource).toMatchObject({
      'service.name': 'edge',
      'deployment.environment.name': 'test',
      'service.version': expect.stringMatching(/^\d+\.\d+\.\d+/),
    });
    expect(collector.headers[0]?.['x-collector-key']).toBe('s3cret-of-the-collector');
  });

  it('hold no secret', async () => {
    const token = await shop.services.identity.token('user');
    const secret = 'c4n4ry-secret';
    await traced(`/echo/1?api_key=${secret}&page=${secret}x`, {
      headers: {
        authorization: `Bearer ${token}`,
        cookie: `session=${secret}`,
        'x-shown': 'visible',
        'user-agent': `tool Bearer ${secret}AAAA1=`,
      },
    });
    await traced('/nowhere', { headers: { 'x-api-key': secret } });
    const all = collector.raw.join('');
    expect(all).toContain('visible');
    expect(all.replaceAll(`page=${secret}x`, '')).not.toContain(secret);
    expect(all).not.toContain(token);
    expect(all).not.toContain('s3cret-of-the-collector');
  });

  it('are named on the access line', async () => {
    const { server, traceId } = await traced('/echo/1');
    const line = (await shop.gateway.linesWhere(({ traceId: id }) => id === traceId))[0];
    expect(line?.['spanId']).toBe(server.spanId);
  });
});
