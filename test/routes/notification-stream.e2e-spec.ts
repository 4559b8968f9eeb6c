import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { call, open } from '../support/client.ts';
import { useShop } from '../support/shop.ts';

const holder = useShop({
  upstreams: ({ notifications }) => ({
    notifications: {
      protocol: 'grpc',
      descriptorSet: 'config/descriptors/shop.binpb',
      targets: [notifications.url],
    },
  }),
  routes: [
    {
      id: 'notifications-rest',
      upstream: 'notifications',
      grpc: { service: 'shop.v1.Notifications', prefix: '/api/v3' },
      policies: { authorization: { anyRole: ['admin', 'user'] } },
    },
  ],
});

const PATH = '/api/v3/notifications:watch';
const service = () => holder.shop.services.notifications;
const tokenOf = (claims: Record<string, unknown> = {}): Promise<string> =>
  holder.shop.services.identity.token('user', claims);

/** What a browser can open: no header fields, but subprotocols. */
async function browserSocket(path: string, token: string): Promise<WebSocket> {
  const { url } = holder.shop.gateway;
  const origin = { origin: 'https://app.example' };
  const protocols = ['grpc.json', `bearer.${token}`];
  const socket = new WebSocket(url.replace('http', 'ws') + path, protocols, { headers: origin });
  await once(socket, 'open');
  return socket;
}

/** How many sockets and streams are counted whose credential has expired. */
async function expired(): Promise<number> {
  const { text } = await call(`${holder.shop.gateway.adminUrl}/metrics`);
  const [, count = '0'] = /^gatehouse_expired_exchanges_total\{[^}]*Watch[^}]*\} (\d+)$/m.exec(text) ?? [];
  return Number(count);
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

describe('the stream of a service', () => {
  it('reaches a browser over WebSocket, as its user', async () => {
    const socket = await browserSocket(`${PATH}?backlog=1&count=2`, await tokenOf());
    expect(socket.protocol).toBe('grpc.json');
    const heard: { notification: { text: string }; unread: number }[] = [];
    socket.on('message', (data) => heard.push(JSON.parse(String(data)) as never));
    await until(() => heard.length === 1 && service().watchers === 1);
    service().notify('1', 'for somebody else');
    service().notify('2', 'for Bob');
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1000);
    expect(heard.map(({ notification, unread }) => [notification.text, unread])).toEqual([
      ['Your order was shipped', 7],
      ['for Bob', 8],
    ]);
    const [line] = await holder.shop.gateway.linesWhere((one) => one['status'] === 101);
    expect(line).toMatchObject({ route: 'notifications-rest.Watch', principal: '2' });
    expect(JSON.stringify(holder.shop.gateway.lines)).not.toContain('bearer.');
  });

  it('ends with the token, and the call with it', async () => {
    const socket = await browserSocket(PATH, await tokenOf({ exp: Math.floor(Date.now() / 1000) + 2 }));
    await until(() => service().watchers === 1);
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(4401);
    await until(() => service().watchers === 0);
    const [line] = await holder.shop.gateway.linesWhere((one) =>
      JSON.stringify(one['refused'] ?? '').includes('credentials-expired'),
    );
    expect(line).toMatchObject({ route: 'notifications-rest.Watch', status: 101, principal: '2' });
  });

  it.each(['application/x-ndjson', 'text/event-stream'])(
    'as %s ends with the token, and the call with it, which is said, logged and counted',
    async (accept) => {
      const token = await tokenOf({ exp: Math.floor(Date.now() / 1000) + 2 });
      const headers = { accept, authorization: `Bearer ${token}` };
      const before = await expired();
      const answer = await open(holder.shop.gateway.url + PATH, { headers });
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString())).on('error', () => undefined);
      // Cut, where its form has no place for a problem.
      await new Promise((resolve) => answer.on('close', resolve));
      if (accept === 'text/event-stream') expect(text).toContain('credentials-expired');
      else expect(answer.complete).toBe(false);
      await until(() => service().watchers === 0);
      const lines = await holder.shop.gateway.linesWhere(
        (one) =>
          JSON.stringify(one['refused'] ?? '').includes('credentials-expired') && one['status'] === 200,
      );
      expect(lines.at(-1)).toMatchObject({ route: 'notifications-rest.Watch', principal: '2' });
      expect(await expired()).toBe(before + 1);
    },
  );

  it.each([
    ['application/x-ndjson', /^\{"notification":\{.*\},"unread":\d+\}\n$/],
    ['text/event-stream', /^: open\n\ndata: \{"notification":.*\}\n\n$/],
  ])('is %s for who asks for it', async (accept, expected) => {
    const headers = { accept, authorization: `Bearer ${await tokenOf()}` };
    const answer = await open(`${holder.shop.gateway.url}${PATH}?backlog=1&count=1`, { headers });
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, accept]);
    expect(text).toMatch(expected);
  });
});
