import { describe, expect, it } from '@jest/globals';
import { startTestGateway } from './test-gateway.ts';

const CONFIG = {
  version: 1,
  defaults: { policies: { authentication: { schemes: ['jwt'] } } },
  identity: { issuers: [{ issuer: 'https://id.test/', jwks: 'https://id.test/jwks', audiences: ['api'] }] },
  upstreams: {
    things: {
      targets: ['http://things.internal'],
      retry: { attempts: 1 },
      circuitBreaker: { consecutiveFailures: 1, openFor: '30s' },
    },
  },
  routes: [
    { id: 'cached', match: { path: '/cached' }, upstream: 'things', policies: { cache: { ttl: '60s' } } },
    {
      id: 'limited',
      match: { path: '/limited' },
      upstream: 'things',
      policies: { rateLimit: { key: 'principal', rate: 1, per: '1h' } },
    },
    { id: 'slow', match: { path: '/slow' }, upstream: 'things', policies: { deadline: '10s' } },
    { id: 'rest', match: { path: '/*' }, upstream: 'things' },
  ],
};

describe('the clock of a test', () => {
  it('moves TTLs, limits, expiry, breakers and deadlines', async () => {
    await using gateway = await startTestGateway({ config: CONFIG, clock: '2026-01-01T00:00:00Z' });
    const { clock } = gateway;
    const things = gateway.http('things').on('/*', { body: 'fine' });
    const client = gateway.client(gateway.as({ id: 'ann', expiresIn: '3h' }));
    expect(clock.now.toISOString()).toBe('2026-01-01T00:00:00.000Z');

    for (const calls of [1, 1, 2]) {
      expect((await client.get('/cached')).text).toBe('fine');
      expect(things.calls('/cached')).toBe(calls);
      if (calls === 1) await clock.advance('31s');
    }

    const statuses = [await client.get('/limited'), await client.get('/limited')];
    await clock.advance('1h');
    statuses.push(await client.get('/limited'));
    expect(statuses.map(({ status }) => status)).toEqual([200, 429, 200]);

    things.on('/slow', { delay: '1h' });
    expect((await client.get('/slow')).problem?.code).toBe('deadline-exceeded');
    expect((await client.get('/a')).problem?.code).toBe('circuit-open');
    await clock.advance('31s');
    expect((await client.get('/a')).text).toBe('fine');

    await clock.advance('3h');
    expect((await client.get('/a')).problem?.code).toBe('credentials-expired');
  });

  it('is one for a process, and given back', async () => {
    const before = [Date, setTimeout] as const;
    const gateway = await startTestGateway({ config: CONFIG, clock: true });
    const other = startTestGateway({ config: CONFIG, clock: true });
    await expect(other).rejects.toThrow('another gateway of this process has a clock already');
    await gateway.stop();
    expect([Date, setTimeout]).toEqual(before);
    const again = await startTestGateway({ config: CONFIG });
    expect(() => again.clock).toThrow('time is real here; start the gateway with `clock: true`');
    await again.stop();
    await expect(startTestGateway({ config: CONFIG, clock: 'noon' })).rejects.toThrow(
      'expected a time such as 2026-01-01T00:00:00Z for the clock, given noon',
    );
  });
});
