import { afterEach, describe, expect, it } from '@jest/globals';
import { Breaker } from '../policies/circuit-breaker/breaker.ts';
import { circuitBreakerPolicy } from '../policies/circuit-breaker/circuit-breaker.policy.ts';
import { Problem } from '../problems/problem.ts';
import { Lease } from './lease.ts';
import { Target } from './target.ts';
import { upstreamSchema } from './upstream.schema.ts';
import { Upstream } from './upstream.ts';

const made: Breaker[] = [];

afterEach(() => {
  for (const breaker of made.splice(0)) breaker.shutdown();
});

function createTarget(name: string, openFor = '30s'): Target {
  const options = circuitBreakerPolicy.schema.parse({ consecutiveFailures: 2, openFor });
  const breaker = new Breaker(options);
  made.push(breaker);
  return new Target({ url: `http://${name}:80/`, weight: 1, labels: {}, priority: 0 }, { breaker });
}

function createUpstream(...targets: Target[]): Upstream {
  return new Upstream('users', upstreamSchema.parse({ targets: targets.map((one) => one.origin) }), targets);
}

function open(target: Target): void {
  for (let i = 0; i < 2; i += 1) new Lease(target).release('failure');
}

function refusal(upstream: Upstream): Problem {
  try {
    upstream.lease(undefined);
  } catch (error) {
    if (error instanceof Problem) return error;
  }
  throw new Error('a lease was given');
}

describe('Target', () => {
  it('reads its URL', () => {
    const { origin, host, secure } = new Target(
      { url: 'https://a.test:8443/', weight: 1, labels: {}, priority: 0 },
      {},
    );
    expect([origin, host, secure]).toEqual(['https://a.test:8443', 'a.test:8443', true]);
    expect(new Target({ url: 'grpcs://a:1', weight: 1, labels: {}, priority: 0 }, {}).secure).toBe(true);
    expect(createTarget('a').secure).toBe(false);
  });

  it('is available without a breaker', () => {
    expect(new Target({ url: 'http://a', weight: 1, labels: {}, priority: 0 }, {}).available).toBe(true);
  });
});

describe('Lease', () => {
  it('counts its call while it lasts, and is given back once', () => {
    const target = createTarget('a');
    const lease = new Lease(target);
    expect(target.inFlight).toBe(1);
    lease.release('success');
    lease.release('failure');
    lease.settle('failure');
    expect(target.inFlight).toBe(0);
    open(target);
    expect(target.available).toBe(false);
  });

  it('tells the breaker once, however often it is told', () => {
    const target = createTarget('a');
    const lease = new Lease(target);
    for (let i = 0; i < 5; i += 1) lease.settle('failure');
    lease.release('failure');
    expect(target.available).toBe(true);
  });

  it('stays under way when the outcome is settled before its end', () => {
    const target = createTarget('a');
    const lease = new Lease(target);
    lease.settle('success');
    expect(target.inFlight).toBe(1);
    lease.release('neutral');
    expect(target.inFlight).toBe(0);
  });
});

describe('Upstream', () => {
  it('leases targets in turn', () => {
    const upstream = createUpstream(createTarget('a'), createTarget('b'));
    const hosts = Array.from({ length: 4 }, () => upstream.lease(undefined).target.host).sort();
    expect(hosts).toEqual(['a:80', 'a:80', 'b:80', 'b:80']);
  });

  it('leases none whose breaker is open', () => {
    const [a, b] = [createTarget('a'), createTarget('b')];
    open(a);
    const upstream = createUpstream(a, b);
    expect(Array.from({ length: 4 }, () => upstream.lease(undefined).target)).toEqual([b, b, b, b]);
    expect(upstream.refusal()).toBeUndefined();
  });

  it('prefers targets that were not tried, and takes a tried one before none', () => {
    const [a, b] = [createTarget('a'), createTarget('b')];
    const upstream = createUpstream(a, b);
    expect(upstream.lease(undefined, [a]).target).toBe(b);
    expect(upstream.hasFresh([a])).toBe(true);
    expect(upstream.hasFresh([a, b])).toBe(false);
    expect([a, b]).toContain(upstream.lease(undefined, [a, b]).target);
    open(b);
    expect(upstream.hasFresh([a])).toBe(false);
    expect(upstream.lease(undefined, [a]).target).toBe(a);
  });

  it.each([1, 2])('answers circuit-open with Retry-After when all of %i targets are open', (count) => {
    const targets = Array.from({ length: count }, (_, i) => createTarget(`t${i}`, i === 0 ? '90s' : '20s'));
    for (const target of targets) open(target);
    const { code, status, headers } = refusal(createUpstream(...targets));
    expect([code, status]).toEqual(['circuit-open', 503]);
    const soonest = count === 1 ? 90 : 20;
    const seconds = Number(headers?.['retry-after']);
    expect(seconds).toBeGreaterThanOrEqual(soonest);
    expect(seconds).toBeLessThanOrEqual(soonest * 1.2 + 1);
  });

  it('refuses everybody but one while a breaker is half-open', async () => {
    const target = createTarget('a', '1ms');
    open(target);
    while (!target.available) await new Promise((resolve) => setTimeout(resolve, 2));
    const upstream = createUpstream(target);
    const probe = upstream.lease(undefined);
    expect(refusal(upstream).headers).toEqual({ 'retry-after': '1' });
    expect(target.inFlight).toBe(1);
    probe.release('success');
    await new Promise((resolve) => setImmediate(resolve));
    expect(upstream.lease(undefined).target).toBe(target);
  });
});

describe('upstreamSchema', () => {
  it('fills in defaults', () => {
    expect(upstreamSchema.parse({ targets: ['http://a:1'] })).toMatchObject({
      protocol: 'http',
      balancing: 'roundRobin',
      retry: { attempts: 2, budget: 0.2 },
      timeouts: { connect: 1000, firstByte: 30_000, idle: 30_000 },
      targets: [{ url: 'http://a:1', weight: 1, labels: {}, priority: 0 }],
    });
  });

  it.each([
    { targets: [] },
    { targets: ['a:1'] },
    { targets: ['http://a:1/path'] },
    { targets: ['http://user:secret@a:1'] },
    { targets: ['grpc://a:1'] },
    { protocol: 'grpc', targets: ['http://a:1'] },
    { targets: [{ url: 'http://a:1', weight: 0 }] },
    { targets: ['http://a:1'], retry: { attempts: 0 } },
    { targets: ['http://a:1'], timeouts: { connect: '25d' } },
  ])('refuses %j', (options) => {
    expect(upstreamSchema.safeParse(options).success).toBe(false);
  });
});
