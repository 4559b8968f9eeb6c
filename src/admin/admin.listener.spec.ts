import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { compileRoutes, rolloutsOf, snapshotsOf } from '../../test/support/routes.ts';
import { readEnvironment } from '../config/env.schema.ts';
import { Identity } from '../policies/authentication/identity.ts';
import { identitySchema } from '../policies/authentication/identity.schema.ts';
import { createLogger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { Traffic } from '../traffic/traffic.ts';
import { ADMIN_PAGES } from './admin-index.ts';
import { AdminOrders } from './admin-orders.ts';
import { AdminListener } from './admin.listener.ts';

interface Ask {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
}

// Unlike `fetch` it says any `Host`.
async function statusOf(url: string, { path, ...ask }: Ask): Promise<number | undefined> {
  const asked = request(url + path, ask).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

describe('AdminListener', () => {
  let listener: AdminListener;

  afterEach(() => listener.close());

  async function listen(): Promise<string> {
    const metrics = new Metrics();
    metrics.upstreams.attempted('users', '200');
    const { snapshots, reloads } = snapshotsOf(compileRoutes([{ path: '/a', id: 'one' }]));
    const environment = readEnvironment({ ADMIN_PORT: '0', ADMIN_HOST: '127.0.0.1' });
    const identity = new Identity(identitySchema.parse({}));
    const logger = createLogger('silent');
    const given = { traffic: new Traffic(metrics) };
    const orders = Object.assign(new AdminOrders(rolloutsOf(metrics), identity, logger), given);
    listener = new AdminListener(environment, metrics, snapshots, reloads, orders);
    return listener.listen();
  }

  it('says what is wrong with a body that it cannot read', async () => {
    const url = `${await listen()}/cache/purge`;
    const asked = async (contentType: string): Promise<unknown> => {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': contentType },
        body: '{',
      });
      return [answer.status, await answer.json()];
    };
    const form = await asked('application/x-www-form-urlencoded');
    expect(form).toEqual([415, { error: 'expected JSON, with content-type: application/json' }]);
    expect(await asked('application/json')).toEqual([400, { error: expect.stringContaining('JSON') }]);
  });

  it('shows the metrics in the format of Prometheus', async () => {
    const answer = await fetch(`${await listen()}/metrics`);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await answer.text()).toContain(
      'gatehouse_upstream_attempts_total{upstream="users",outcome="200"} 1',
    );
  });

  it('lists the routes', async () => {
    const answer = await fetch(`${await listen()}/routes`);
    expect(await answer.json()).toEqual([expect.objectContaining({ id: 'one', path: '/a', door: 'proxy' })]);
  });

  it.each([
    ['/', 200],
    ['/nowhere', 404],
  ])('says at %s where to go, to a terminal', async (path, status) => {
    const url = await listen();
    const asText = await fetch(url + path);
    expect([asText.status, asText.headers.get('content-type')]).toEqual([
      status,
      'text/plain; charset=utf-8',
    ]);
    expect(await asText.text()).toMatch(/\/metrics .*Prometheus[\s\S]*\/routes .*JSON/);
  });

  it('leads browsers to the console, and shows those that are lost where there is something', async () => {
    const url = await listen();
    const headers = { accept: 'text/html,*/*' };
    const led = await fetch(`${url}/`, { headers, redirect: 'manual' });
    expect([led.status, led.headers.get('location')]).toEqual([302, 'console/']);
    const lost = await fetch(`${url}/nowhere`, { headers });
    expect([lost.status, lost.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
    expect(lost.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(await lost.text()).toContain('<a href="/metrics">');
  });

  it.each([
    [
      'an order of a page',
      'POST',
      '/canaries/a/abort',
      { origin: 'http://evil.example', 'x-gatehouse-admin': '1' },
    ],
    ['a question of a page', 'GET', '/routes', { origin: 'http://evil.example' }],
    ['a page whose name leads here', 'GET', '/routes', { host: 'evil.example:9080' }],
    ['a page whose name ends in a dot', 'GET', '/routes', { host: 'evil.' }],
  ])('refuses %s', async (_what, method, path, headers) => {
    expect(await statusOf(await listen(), { method, path, headers })).toBe(403);
  });

  it.each(['localhost:9080', 'admin.localhost', '127.0.0.1', '[::1]:9080', 'gatehouse'])(
    'answers to %s',
    async (host) => {
      expect(await statusOf(await listen(), { method: 'GET', path: '/routes', headers: { host } })).toBe(200);
    },
  );

  it('has every page that its index lists', async () => {
    const url = await listen();
    for (const { path } of ADMIN_PAGES) expect((await fetch(url + path)).status).toBe(200);
  });

  it('ends with its connections', async () => {
    const url = await listen();
    await (await fetch(`${url}/routes`)).text();
    await listener.close();
    await expect(fetch(`${url}/routes`)).rejects.toThrow('fetch failed');
  });
});
