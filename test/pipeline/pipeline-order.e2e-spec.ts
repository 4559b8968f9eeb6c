import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TokenUser } from '../../examples/services/identity.ts';
import { order } from '../../src/policies/order.ts';
import { BEFORE } from '../../src/policies/policy-facts.ts';
import type { Answer } from '../support/client.ts';
import { startShop, type Shop } from '../support/shop.ts';

/** A request that every stage would refuse; each step takes one reason away. */
interface Reasons {
  readonly path: string;
  readonly method: string;
  readonly as?: TokenUser;
  readonly body: string | undefined;
  readonly type?: string;
}

const HUGE = 'x'.repeat(2000);
const proxied = (id: string, path: string, policies: object, upstream = 'echo') => ({
  id,
  match: { methods: ['POST'], path },
  upstream,
  policies: { authorization: { anyRole: ['user'] }, ...policies },
});

let shop: Shop;

beforeAll(async () => {
  shop = await startShop({
    upstreams: () => ({
      gone: { targets: ['http://127.0.0.1:1'], circuitBreaker: { consecutiveFailures: 1, openFor: '1h' } },
    }),
    routes: [
      proxied(
        'drained',
        '/walk/drained',
        { rateLimit: { key: 'global', rate: 1, per: '1d' }, bodyLimit: '1KiB' },
        'gone',
      ),
      proxied('walk', '/walk/fresh', { bodyLimit: '1KiB' }, 'gone'),
    ],
  });
});
afterAll(() => shop.stop());

async function send({
  path,
  method,
  as,
  body,
  type = 'text/plain',
}: Reasons): Promise<[number, unknown, Answer]> {
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body ?? '') };
  const answer = await shop.call(path, { method, as: as as TokenUser, body, headers });
  return [answer.status, answer.json()['code'], answer];
}

/** Sends the requests in order and proves that each leaves one access line that names the stage that said no. */
async function walk(steps: readonly (readonly [Reasons, number, string, string])[]): Promise<void> {
  for (const [reasons, status, code, stage] of steps) {
    const [actual, given, answer] = await send(reasons);
    expect([reasons.path, actual, given]).toEqual([reasons.path, status, code]);
    expect(await shop.lineOf(answer)).toMatchObject({ status, refused: { stage, code } });
  }
}

describe('the order of the stages', () => {
  it('is the one that the pipeline states', () => {
    const steps = order.map(({ policy }) => BEFORE.indexOf(policy.before));
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  });

  it('shows at the proxy door when one reason to refuse after the other is taken away', async () => {
    await send({ path: '/walk/drained', method: 'POST', as: 'user', body: undefined }); // Opens breaker, drains bucket.
    const all = { method: 'DELETE', body: HUGE };
    await walk([
      [{ ...all, path: '/walk//drained' }, 400, 'request-malformed', 'open'],
      [{ ...all, path: '/nowhere' }, 404, 'route-not-found', 'match'],
      [{ ...all, path: '/walk/drained' }, 405, 'method-not-allowed', 'match'],
      [{ ...all, path: '/walk/drained', method: 'POST' }, 401, 'credentials-missing', 'identify'],
      [{ ...all, path: '/walk/drained', method: 'POST', as: 'guest' }, 403, 'permission-denied', 'authorize'],
      [{ ...all, path: '/walk/drained', method: 'POST', as: 'user' }, 429, 'rate-limited', 'limit'],
      [{ ...all, path: '/walk/fresh', method: 'POST', as: 'user' }, 413, 'body-too-large', 'size'],
      [{ path: '/walk/fresh', method: 'POST', as: 'user', body: 'small' }, 503, 'circuit-open', 'break'],
    ]);
    expect(shop.echo.requests).toHaveLength(0);
  });

  it('shows at the code-first door, where a body that cannot be read is no way around the guards', async () => {
    const path = '/api/v1/orders';
    const bad = { path, method: 'POST', body: '{"items":', type: 'application/json' };
    await walk([
      [{ ...bad, path: '/api//v1/orders' }, 400, 'request-malformed', 'open'],
      [{ ...bad, path: `${path}/1/2/3` }, 404, 'route-not-found', 'match'],
      [{ ...bad, method: 'DELETE' }, 405, 'method-not-allowed', 'match'],
      [bad, 401, 'credentials-missing', 'identify'],
      [{ ...bad, type: 'text/plain' }, 401, 'credentials-missing', 'identify'],
      [{ ...bad, body: 'x'.repeat(2 ** 20 + 1) }, 401, 'credentials-missing', 'identify'],
      [{ ...bad, as: 'guest' }, 403, 'permission-denied', 'authorize'],
      [{ ...bad, as: 'user', body: 'x'.repeat(2 ** 20 + 1) }, 413, 'body-too-large', 'size'],
      [{ ...bad, as: 'user', type: 'text/csv' }, 415, 'media-type-unsupported', 'validate'],
      [{ ...bad, as: 'user' }, 400, 'request-invalid', 'validate'],
      [{ ...bad, as: 'user', body: '{}' }, 400, 'request-invalid', 'validate'],
    ]);
    expect(shop.services.orders.requests.total).toBe(0);
  });
});
