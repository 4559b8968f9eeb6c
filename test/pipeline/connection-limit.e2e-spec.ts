import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const config = (more: string): string => `
version: 1
${more}
defaults: { policies: { authentication: public } }
routes: [{ id: fixed, match: { path: /fixed }, respond: { status: 200, body: fixed } }]
`;

const MOST = 5;

/** Opens connections and asks over each; tells how many were answered. */
async function answered(
  gateway: TestGateway,
  count: number,
): Promise<{ sockets: Socket[]; answers: number }> {
  const { hostname, port } = new URL(gateway.url);
  let answers = 0;
  const sockets = Array.from({ length: count }, () => connect(Number(port), hostname));
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          socket.on('error', () => undefined).once('close', () => resolve());
          socket.once('data', () => resolve(void (answers += 1)));
          socket.write('GET /fixed HTTP/1.1\r\nhost: a\r\n\r\n');
        }),
    ),
  );
  return { sockets, answers };
}

describe('the limit of connections per address', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startGateway({ config: config(`connectionLimit: { perAddress: ${MOST} }`) });
  });
  afterAll(() => gateway.stop());

  it('closes one too many at once, counts it, and lets others in once some have left', async () => {
    const first = await answered(gateway, MOST + 3);
    expect(first.answers).toBe(MOST);
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    expect(metrics).toContain('gatehouse_connections_refused_total 3\n');
    const open = first.sockets.filter((socket) => !socket.destroyed);
    await Promise.all(open.map((socket) => once(socket.end(), 'close')));
    const second = await answered(gateway, MOST);
    expect(second.answers).toBe(MOST);
    for (const socket of second.sockets) socket.destroy();
  });

  it('does not count trusted proxies, which speak for many', async () => {
    const behind = await startGateway({
      config: config(`trustedProxies: [loopback]\nconnectionLimit: { perAddress: ${MOST} }`),
    });
    const { sockets, answers } = await answered(behind, MOST + 3);
    expect(answers).toBe(MOST + 3);
    for (const socket of sockets) socket.destroy();
    await behind.stop();
  });
});
