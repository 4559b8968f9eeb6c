import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

let upstream: TestUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await startGateway({
    config: `
version: 1
defaults: { policies: { authentication: public } }
upstreams: { it: { targets: ['${upstream.url}'] } }
routes:
  - { id: rewritten, match: { path: '/orders/{id}:cancel' }, upstream: it, rewrite: { path: '/public/orders/{id}' } }
  - id: composed
    match: { path: '/pages/{id}:show' }
    aggregate:
      calls: { page: { upstream: it, path: '/public/pages/{id}' } }
      response: { page: '{page.method}' }
`,
  });
});
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

/** The status for a path that is sent as it is. */
function statusOf(path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    request({ host: hostname, port, path }, (answer) => resolve(answer.resume().statusCode))
      .once('error', reject)
      .end();
  });
}

describe('a segment that ends in the verb of its route', () => {
  it.each(['..', '.', '%2e%2e', '..%3B', '%20..'])('does not lead upwards when it was %s', async (id) => {
    const before = upstream.requests.length;
    expect(await statusOf(`/orders/${id}:cancel`)).toBe(400);
    expect(await statusOf(`/pages/${id}:show`)).toBe(400);
    expect(upstream.requests).toHaveLength(before);
  });

  it('is taken otherwise', async () => {
    expect(await statusOf('/orders/7..:cancel')).toBe(200);
    expect(upstream.requests.at(-1)?.url).toBe('/public/orders/7..');
  });
});
