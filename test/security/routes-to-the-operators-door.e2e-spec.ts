import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { openSocket } from '../../src/upstreams/transport/socket.ts';

let gateway: TestGateway;
let port: number;

beforeEach(async () => {
  // The operators' port has to be known before the configuration is written.
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  ({ port } = probe.address() as AddressInfo);
  probe.close();
  await once(probe, 'close');
  gateway = await startGateway({ config: config(), environment: { ADMIN_PORT: String(port) } });
});
afterEach(() => gateway.stop());

const NAMES = ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '0.0.0.0'];

function config(): string {
  const target = (url: string) => ({ targets: [url], circuitBreaker: 'off', retry: { attempts: 1 } });
  const upstreams = {
    ...Object.fromEntries(NAMES.map((name, at) => [`u${at}`, target(`http://${name}:${port}`)])),
    secure: target(`https://127.0.0.1:${port}`),
  };
  const routes = Object.keys(upstreams).map((upstream) => ({
    id: upstream,
    match: { path: `/${upstream}/*` },
    upstream,
    policies: { authentication: 'public' },
    rewrite: { stripPrefix: `/${upstream}` },
    webSocket: {},
  }));
  return JSON.stringify({ version: 1, floodLimit: 'off', upstreams, routes });
}

it.each([...NAMES.map((_, at) => `u${at}`), 'secure'])(
  'an upstream that leads to the operators is none: %s',
  async (name) => {
    const answer = await call(`${gateway.url}/${name}/whoami`);
    expect([answer.status, answer.text.includes('role')]).toEqual([502, false]);
    const order = await call(`${gateway.url}/${name}/keys`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-gatehouse-admin': 'console' },
      body: '{"client":"evil"}',
    });
    expect(order.status).toBe(502);
    const [line] = await gateway.accessLines(1);
    expect(line).toMatchObject({ refused: { code: 'upstream-unreachable', fault: 'EOPERATORS' } });
    // Operators themselves come in as before.
    expect((await call(`${gateway.adminUrl}/whoami`)).status).toBe(200);
  },
);

it('the place is free again once nobody listens there', async () => {
  await gateway.stop();
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  const connected = await new Promise<boolean>((resolve) => {
    const options = {
      host: '127.0.0.1',
      port,
      secure: false,
      protocol: 'http/1.1',
      connectTimeoutMs: 5000,
    } as const;
    const socket = openSocket(options, {
      connected: () => {
        socket.destroy();
        resolve(true);
      },
      take: () => undefined,
      closed: () => resolve(false),
    });
  });
  other.close();
  expect(connected).toBe(true);
});
