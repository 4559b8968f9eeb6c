import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Registry } from 'prom-client';
import { createTestKey, KeyServer, signToken } from '../../../../test/support/key-server.ts';
import { exchangeFor, startStageServer, type StageServer } from '../../../../test/support/stage-server.ts';
import { Problem } from '../../../problems/problem.ts';
import type { Metrics } from '../../../telemetry/metrics.ts';
import { createApiKey } from '../api-keys/api-key.ts';
import { AuthenticationStageFactory } from '../authentication.stage.ts';
import { Identity } from '../identity.ts';
import { identitySchema } from '../identity.schema.ts';
import { ProofRefused } from '../proof-of-possession/proof-refused.ts';
import { Damping } from './damping.ts';

const OPTIONS = { failures: 3, window: 60_000 };

describe('damping', () => {
  let now = 1_000_000;
  const clock = (): number => now;

  it('damps an address at its third bad credential, until the window has passed', () => {
    const damping = new Damping({ clock });
    for (const left of [0, 0, 59_000]) {
      damping.failed('203.0.113.7', OPTIONS);
      if (left === 0) now += 500;
      expect(damping.leftMs('203.0.113.7')).toBe(left);
    }
    expect(damping.leftMs('203.0.113.8')).toBe(0);
    now += 58_999;
    expect(damping.leftMs('203.0.113.7')).toBe(1);
    now += 1;
    expect(damping.leftMs('203.0.113.7')).toBe(0);
    damping.failed('203.0.113.7', OPTIONS);
    expect(damping.leftMs('203.0.113.7')).toBe(0);
  });

  it('forgets bad credentials that are older than the window', () => {
    const damping = new Damping({ clock });
    for (let i = 0; i < 10; i += 1) {
      damping.failed('203.0.113.7', OPTIONS);
      now += 30_001;
      damping.failed('203.0.113.7', OPTIONS);
      now += 30_001;
    }
    expect(damping.leftMs('203.0.113.7')).toBe(0);
  });

  it('takes a /64 of IPv6 for one address', () => {
    const damping = new Damping({ clock });
    for (let i = 1; i <= 3; i += 1) damping.failed(`2001:db8::${i}`, OPTIONS);
    expect(damping.leftMs('2001:db8::9')).toBe(60_000);
    expect(damping.leftMs('2001:db8:0:1::9')).toBe(0);
  });

  it('remembers the ten thousand addresses that failed last, and writes one line for a flood of them', () => {
    const lines: unknown[] = [];
    const logger = { warn: (fields: unknown) => lines.push(fields) };
    const damping = new Damping({ clock, logger: logger as never });
    const address = (i: number): string => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
    for (let i = 0; i <= 10_000; i += 1) damping.failed(address(i), { failures: 1, window: 60_000 });
    expect([damping.leftMs(address(0)), damping.leftMs(address(1))]).toEqual([0, 60_000]);
    expect(lines).toHaveLength(1);
    now += 10_000;
    damping.failed('203.0.113.7', { failures: 1, window: 60_000 });
    expect(lines[1]).toMatchObject({ address: '203.0.113.7', others: 10_000 });
  });
});

describe('what is noted', () => {
  const request = new IncomingMessage(new Socket());
  const exchange = exchangeFor(request, new ServerResponse(request));

  it.each<[string, Problem, boolean]>([
    ['a proof that is bad', new ProofRefused('The DPoP proof is malformed.'), true],
    [
      'a proof that only lacks our nonce',
      new ProofRefused('The DPoP proof needs another nonce.', 'n'),
      false,
    ],
    ['a token that has expired', new Problem('credentials-expired'), false],
  ])('of %s', (_what, problem, counts) => {
    const damped = new Damping().with({ failures: 1, window: 60_000, exempt: [] });
    damped.note(problem, exchange);
    expect(damped.refusal(exchange) !== undefined).toBe(counts);
  });
});

describe('the identify stage', () => {
  const { key: apiKey, sha256 } = createApiKey();
  const registry = new Registry();
  let keys: KeyServer;
  let identity: Identity;
  let token: string;
  let other: string;

  async function gate(damping: unknown, optional = false): Promise<StageServer> {
    const options = {
      issuers: [{ issuer: keys.issuer, jwks: keys.url, audiences: ['api'] }],
      apiKeys: [{ sha256, clientId: 'mobile' }],
      damping,
    };
    const metrics = { registry } as unknown as Metrics;
    identity = new Identity(identitySchema.parse(options), { damping: new Damping({ metrics }) });
    const authentication = { schemes: ['jwt', 'apiKey'] as ('jwt' | 'apiKey')[], optional };
    const stage = new AuthenticationStageFactory(identity).compile({
      routeId: 'r',
      door: 'proxy',
      policies: { authentication },
    });
    return startStageServer(stage === undefined ? [] : [stage]);
  }

  beforeAll(async () => {
    keys = await new KeyServer().start();
    const key = await createTestKey();
    keys.keys = [key.publicJwk];
    token = await signToken(key, keys.issuer);
    other = await signToken(key, keys.issuer, { claims: { sub: 'bob' } });
  });

  afterAll(() => keys.stop());

  const bad = { authorization: 'Bearer a.b.c' };
  const badKey = { 'x-api-key': createApiKey().key };

  it('looks at no unknown credential from a damped address, lets known ones pass, and says when to come back', async () => {
    const server = await gate({ failures: 2, exempt: [] }, true);
    const good = { authorization: `Bearer ${token}` };
    expect((await server.get(good)).status).toBe(200);
    expect((await server.get(bad)).status).toBe(401);
    expect((await server.get({})).status).toBe(200);
    expect((await server.get(badKey)).status).toBe(401);
    for (const headers of [bad, badKey, { authorization: `Bearer ${other}` }]) {
      const answer = await server.get(headers);
      expect([answer.status, answer.body['code']]).toEqual([429, 'too-many-attempts']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(50);
    }
    for (const headers of [good, { 'x-api-key': apiKey }, {}])
      expect((await server.get(headers)).status).toBe(200);
    expect(await registry.metrics()).toContain('gatehouse_damped_requests_total 3');
    await server.stop();
  });

  it.each([
    ['an exempt address', { failures: 1 }],
    ['anybody where it is off', 'off'],
  ])('never damps %s', async (_whom, damping) => {
    registry.clear();
    const server = await gate(damping);
    for (let i = 0; i < 3; i += 1) expect((await server.get(bad)).status).toBe(401);
    await server.stop();
  });
});
