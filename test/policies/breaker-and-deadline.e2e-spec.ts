import { afterEach, describe, expect, it } from '@jest/globals';
import { useShop, type RouteInput } from '../support/shop.ts';
import { echo } from '../support/upstream.ts';

const route = (id: string, upstream: string, policies: object = {}): RouteInput => ({
  id,
  match: { path: `/${id}/*` },
  upstream,
  rewrite: { stripPrefix: `/${id}` },
  policies: { authentication: 'public', ...policies },
});

const breaker = { consecutiveFailures: 3, openFor: '300ms' };
const holder = useShop({
  upstreams: ({ feed, 'users-1': users1, 'users-2': users2 }) => ({
    fragile: { targets: [feed.url], circuitBreaker: breaker, retry: { attempts: 1 } },
    pair: {
      targets: [users1.url, users2.url],
      circuitBreaker: breaker,
      retry: { attempts: 2, budget: '100%' },
    },
    rated: { targets: [feed.url], circuitBreaker: { errorRate: '50%', window: 4, openFor: '1h' } },
  }),
  routes: [
    route('fragile', 'fragile'),
    route('pair', 'pair'),
    route('rated', 'rated'),
    route('hurried', 'echo', { deadline: '100ms' }),
  ],
});

afterEach(async () => {
  holder.shop.echo.listener = echo;
  for (const name of ['feed', 'users-1', 'users-2'] as const) await holder.shop.services[name].fault('none');
});

const statusOf = async (path: string): Promise<number> => (await holder.shop.call(path)).status;

/** The states that the breaker of an upstream went through, as the log tells. */
const states = (upstream: string): unknown[] =>
  holder.shop.gateway.lines
    .filter((line) => line['upstream'] === upstream && 'breaker' in line)
    .map((line) => line['breaker']);

describe('the breaker of a target', () => {
  it('opens when a service is dead, refuses at once with Retry-After, probes and recovers when it lives again', async () => {
    const { feed } = holder.shop.services;
    await feed.fault('dead');
    for (let i = 0; i < 3; i += 1) expect(await statusOf('/fragile/feed')).toBe(502);
    const refused = await holder.shop.call('/fragile/feed');
    expect(refused.status).toBe(503);
    expect(refused.json()).toMatchObject({ code: 'circuit-open' });
    expect(refused.headers['retry-after']).toBe('1');
    expect(await holder.shop.lineOf(refused)).not.toHaveProperty('target');
    await feed.fault('none');
    const before = feed.requests.total;
    await holder.shop.gateway.linesWhere(
      (line) => line['upstream'] === 'fragile' && line['breaker'] === 'half-open',
    );
    expect(feed.requests.total).toBe(before);
    expect(await statusOf('/fragile/feed')).toBe(200);
    expect(await statusOf('/fragile/feed')).toBe(200);
    expect(states('fragile')).toEqual(['open', 'half-open', 'closed']);
  });

  it('opens at an error rate over the last calls, and a 4xx is no failure', async () => {
    const { feed } = holder.shop.services;
    for (let i = 0; i < 10; i += 1) expect(await statusOf('/rated/nowhere')).toBe(404);
    await feed.fault('fail');
    expect([
      await statusOf('/rated/feed'),
      await statusOf('/rated/feed'),
      await statusOf('/rated/feed'),
    ]).toEqual([500, 500, 503]);
  });

  it('costs a client nothing while another target is there', async () => {
    const { 'users-1': sick } = holder.shop.services;
    await sick.fault('dead');
    for (let i = 0; i < 12; i += 1) expect(await statusOf('/pair/users/1')).toBe(200);
    expect(states('pair')).toContain('open');
  });
});

describe('a deadline', () => {
  it('ends the exchange with 504 and the attempt with it', async () => {
    const left = Promise.withResolvers<void>();
    holder.shop.echo.listener = (_request, response) => void response.once('close', () => left.resolve());
    const answer = await holder.shop.call('/hurried/x');
    expect(answer.status).toBe(504);
    expect(answer.json()).toMatchObject({ code: 'deadline-exceeded' });
    await left.promise;
  });

  it('travels on as what is left of it', async () => {
    const { headers } = (
      await holder.shop.call('/hurried/x', { headers: { 'x-request-deadline-ms': '999999' } })
    ).json<{ headers: Record<string, string> }>();
    expect(Number(headers['x-request-deadline-ms'])).toBeLessThanOrEqual(100);
  });

  it('lets an answer that has begun stream to its end', async () => {
    const finish = Promise.withResolvers<void>();
    holder.shop.echo.listener = (_request, response) => {
      response.writeHead(200).write('early ');
      setTimeout(finish.resolve, 150);
      void finish.promise.then(() => response.end('late'));
    };
    expect((await holder.shop.call('/hurried/x')).text).toBe('early late');
  });
});
