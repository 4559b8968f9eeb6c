import type { RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createApiKey } from '../../src/policies/authentication/api-keys/api-key.ts';
import { call, type Answer } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { json, urls } from '../support/aggregation.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const [KEY_A, KEY_B] = [createApiKey(), createApiKey()];

let users: TestUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  users = await startUpstream();
  gateway = await startGateway({ config: config(users.url) });
});
afterAll(async () => {
  await gateway.stop();
  await users.stop();
});
beforeEach(() => {
  users.listener = json('{"id":12345678901234567890}');
});
afterEach(() => {
  users.requests.length = 0;
});

const config = (url: string): string => `
version: 1
defaults: { policies: { authentication: public, deadline: 5s } }
identity:
  apiKeys:
    - { sha256: ${KEY_A.sha256}, clientId: app-a }
    - { sha256: ${KEY_B.sha256}, clientId: app-b }
upstreams: { users: { targets: ['${url}'], circuitBreaker: off, retry: { attempts: 1 } } }
routes:
  - id: twice
    match: { path: '/twice/{one}/{two}' }
    aggregate: { calls: { a: { upstream: users, path: '/users/{one}' }, b: { upstream: users, path: '/users/{two}' } } }
  - id: unlike
    match: { path: /unlike }
    aggregate:
      calls:
        a: { upstream: users, path: /users/1 }
        b: { upstream: users, path: /users/1, share: principal }
  - id: shared
    match: { path: /shared }
    policies: { authentication: { schemes: [apiKey] } }
    aggregate: { calls: { a: { upstream: users, path: /users/1, share: principal } } }
  - id: open
    match: { path: /open }
    policies: { authentication: { schemes: [apiKey] } }
    aggregate: { calls: { a: { upstream: users, path: /users/1, share: public } } }
  - id: kept
    match: { path: '/kept/{id}' }
    policies: { authentication: { schemes: [apiKey] } }
    aggregate: { calls: { a: { upstream: users, path: '/users/{id}', cache: { ttl: 1h } } } }
  - id: stale
    match: { path: /stale }
    aggregate: { calls: { a: { upstream: users, path: /users/1, required: true, cache: { ttl: 1ms, staleIfError: 1h } } } }
  - id: impatient
    match: { path: /impatient }
    aggregate: { calls: { a: { upstream: users, path: /slow, share: public, budget: 100ms } } }
  - id: patient
    match: { path: /patient }
    aggregate: { calls: { a: { upstream: users, path: /slow, share: public } } }
`;

const ask = (path: string, key?: string): Promise<Answer> =>
  call(gateway.url + path, key === undefined ? {} : { headers: { 'x-api-key': key } });

/** Holds answers back until somebody lets them go. */
function held(listener: RequestListener): {
  readonly asked: () => Promise<void>;
  readonly release: () => void;
} {
  const waiting: (() => void)[] = [];
  users.listener = (request, response) => void waiting.push(() => listener(request, response));
  return {
    asked: async () => {
      for (let tries = 0; waiting.length === 0 && tries < 2000; tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 2));
    },
    release: () => waiting.forEach((answer) => answer()),
  };
}

describe('equal calls of one request', () => {
  it('are made once, and every place has the answer, with all digits', async () => {
    const { text } = await ask('/twice/7/7');
    expect(text).toBe('{"a":{"id":12345678901234567890},"b":{"id":12345678901234567890}}');
    expect(urls(users)).toEqual(['/users/7']);
  });

  it('are made each when they ask for something else, or in another way', async () => {
    await ask('/twice/7/8');
    expect(urls(users).sort()).toEqual(['/users/7', '/users/8']);
    users.requests.length = 0;
    await ask('/unlike');
    expect(urls(users)).toEqual(['/users/1', '/users/1']);
  });

  it('count once for the freshness of the answer, as the upstream says it', async () => {
    users.listener = json({ id: 1 }, { 'cache-control': 'max-age=30' });
    expect((await ask('/twice/7/7')).headers['cache-control']).toBe('max-age=30');
    users.listener = json({ id: 1 }, { 'cache-control': 'no-store' });
    expect((await ask('/twice/7/7')).headers['cache-control']).toBe('no-store');
  });
});

describe('equal calls in flight', () => {
  const listener = json({ id: 1 }, { 'cache-control': 'max-age=30' });

  it('of one principal are made once, and each answer says how fresh it is', async () => {
    const { asked, release } = held(listener);
    const answers = [ask('/shared', KEY_A.key), ask('/shared', KEY_A.key)];
    await asked();
    await new Promise((resolve) => setTimeout(resolve, 50));
    release();
    for (const answer of await Promise.all(answers)) {
      expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'max-age=30']);
    }
    expect(urls(users)).toEqual(['/users/1']);
    expect(users.requests[0]?.headers['x-client-id']).toBe('app-a');
  });

  it('of two principals are made for each', async () => {
    users.listener = listener;
    await Promise.all([ask('/shared', KEY_A.key), ask('/shared', KEY_B.key)]);
    expect(users.requests.map(({ headers }) => headers['x-client-id']).sort()).toEqual(['app-a', 'app-b']);
  });

  it('of everybody are made once, as nobody', async () => {
    const { asked, release } = held(listener);
    const answers = [ask('/open', KEY_A.key), ask('/open', KEY_B.key)];
    await asked();
    await new Promise((resolve) => setTimeout(resolve, 50));
    release();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
    expect(users.requests).toHaveLength(1);
    expect(users.requests[0]?.headers).not.toHaveProperty('x-client-id');
  });

  it('end for each at its own budget', async () => {
    const { asked, release } = held(listener);
    const patient = ask('/patient');
    await asked();
    expect((await ask('/impatient')).json()).toMatchObject({
      a: null,
      degraded: [{ section: 'a', code: 'upstream-timeout', via: 'null' }],
    });
    release();
    expect((await patient).json()).toEqual({ a: { id: 1 } });
  });
});

describe('a call with a cache', () => {
  it('is made once, whatever the upstream says, and tells what is left of its time', async () => {
    users.listener = json('{"id":12345678901234567890}', { 'cache-control': 'no-store' });
    const answers = [await ask('/kept/1', KEY_A.key), await ask('/kept/1', KEY_A.key)];
    expect(urls(users)).toEqual(['/users/1']);
    for (const { text, headers } of answers) {
      expect(text).toBe('{"a":{"id":12345678901234567890}}');
      expect(headers['cache-control']).toMatch(/^private, max-age=3[56]\d\d$/);
    }
  });

  it('keeps nothing for another principal, nor for another path', async () => {
    await ask('/kept/2', KEY_A.key);
    await ask('/kept/2', KEY_B.key);
    await ask('/kept/3', KEY_A.key);
    expect(users.requests.map(({ url, headers }) => `${url} ${headers['x-client-id']}`)).toEqual([
      '/users/2 app-a',
      '/users/2 app-b',
      '/users/3 app-a',
    ]);
  });

  it('has a stale value stand in while the upstream fails, and says so', async () => {
    expect((await ask('/stale')).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 10));
    users.listener = json('', {}, 500);
    const answer = await ask('/stale');
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(answer.text).toContain('12345678901234567890');
    expect(answer.json()['degraded']).toEqual([{ section: 'a', code: 'upstream-rejected', via: 'fallback' }]);
  });
});
