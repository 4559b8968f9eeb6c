import { describe, expect, it } from '@jest/globals';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { NotificationsService } from '../../examples/services/notifications.ts';
import { PUB_SUB } from '../../src/config/tokens.ts';
import type { PubSub } from '../../src/store/pub-sub.ts';
import { open } from '../support/client.ts';
import { notifyUntil } from '../support/notifications.ts';
import { API_KEY, useShop } from '../support/shop.ts';

const holder = useShop({});
const query = 'subscription { notificationAdded { id text createdAt } }';
const address = (): string => `${holder.shop.gateway.url}/graphql`;
const channels = (): PubSub => holder.shop.gateway.gateway.app.get<PubSub>(PUB_SUB, { strict: false });

async function tokenOf(user: 'user' | 'admin', claims: Record<string, unknown> = {}): Promise<string> {
  return `Bearer ${await holder.shop.services.identity.token(user, claims)}`;
}

const sinkOf = (heard: unknown[]) => ({
  next: (value: unknown) => void heard.push(value),
  error: () => undefined,
  complete: () => undefined,
});

describe('a subscription through the whole gateway', () => {
  it('over WebSocket hears of the notifications of its user, and of nobody else', async () => {
    const authorization = await tokenOf('user');
    const client = createClient({
      url: address().replace('http', 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: { authorization },
      retryAttempts: 0,
    });
    const heard: unknown[] = [];
    client.subscribe({ query }, sinkOf(heard));
    await channels().publish('notifications:1', JSON.stringify({ id: '0', text: 'for somebody else' }));
    await notifyUntil(holder.shop, '2', { id: '7', text: 'for 2' }, () => heard.length > 0);
    const mine = { notificationAdded: { id: '7', text: 'for 2', createdAt: null } };
    expect(heard[0]).toEqual({ data: mine });
    expect(JSON.stringify(heard)).not.toContain('somebody else');
    await client.dispose();
    const lines = await holder.shop.gateway.linesWhere((line) => line['status'] === 101);
    expect(lines).toMatchObject([{ route: 'graphql', method: 'GET', path: '/graphql' }]);
  });

  it('over Server-Sent Events takes an API key', async () => {
    const client = createSseClient({ url: address(), headers: { 'x-api-key': API_KEY }, retryAttempts: 0 });
    const heard: { data?: unknown; errors?: unknown }[] = [];
    const stop = client.subscribe({ query: '{ __typename }' }, sinkOf(heard));
    while (heard.length === 0) await sleep(5);
    expect(heard[0]).toEqual({ data: { __typename: 'Query' } });
    stop();
    client.dispose();
  });

  it('ends with its token', async () => {
    const authorization = await tokenOf('user', { exp: Math.floor(Date.now() / 1000) + 2 });
    const socket = new WebSocket(address().replace('http', 'ws'), 'graphql-transport-ws', {
      headers: { authorization },
    });
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init' }));
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(4401);
    const lines = await holder.shop.gateway.linesWhere((line) =>
      JSON.stringify(line['refused'] ?? '').includes('credentials-expired'),
    );
    expect(lines).toMatchObject([{ route: 'graphql', status: 101 }]);
  });

  it('over Server-Sent Events ends with its token', async () => {
    const authorization = await tokenOf('user', { exp: Math.floor(Date.now() / 1000) + 2 });
    const answer = await open(address(), {
      method: 'POST',
      headers: { authorization, accept: 'text/event-stream', 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    expect(answer.statusCode).toBe(200);
    for await (const _chunk of answer);
    const lines = await holder.shop.gateway.linesWhere(
      (line) =>
        JSON.stringify(line['refused'] ?? '').includes('credentials-expired') && line['status'] === 200,
    );
    expect(lines).toMatchObject([{ route: 'graphql', method: 'POST' }]);
  });

  it('is refused with a problem when the credential of the handshake is bad', async () => {
    const socket = new WebSocket(address().replace('http', 'ws'), 'graphql-transport-ws', {
      headers: { authorization: 'Bearer nonsense' },
    });
    socket.on('error', () => undefined);
    const [, response] = (await once(socket, 'unexpected-response')) as [
      unknown,
      { statusCode: number; headers: Record<string, string> },
    ];
    expect([response.statusCode, response.headers['content-type']]).toEqual([
      401,
      'application/problem+json',
    ]);
  });
});

const watching = 'subscription { notificationWatched(backlog: 1) { id text unread } }';
const service = (): NotificationsService => holder.shop.services.notifications;

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

interface Watched {
  readonly data?: { readonly notificationWatched: { readonly text: string } };
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
}

describe('a subscription that a gRPC stream feeds', () => {
  it.each(['WebSocket', 'Server-Sent Events'])(
    'over %s hears of its user alone, until it leaves',
    async (way) => {
      const authorization = await tokenOf('user');
      const client =
        way === 'WebSocket'
          ? createClient({
              url: address().replace('http', 'ws'),
              webSocketImpl: WebSocket,
              connectionParams: { authorization },
              retryAttempts: 0,
            })
          : createSseClient({ url: address(), headers: { authorization }, retryAttempts: 0 });
      const heard: Watched[] = [];
      const stop = client.subscribe({ query: watching }, sinkOf(heard));
      await until(() => heard.length === 1 && service().watchers === 1);
      service().notify('1', 'for somebody else');
      service().notify('2', `over ${way}`);
      await until(() => heard.length === 2);
      expect(heard[1]?.data?.notificationWatched.text).toBe(`over ${way}`);
      expect(service().lastCall?.metadata.get('x-user-id')).toEqual(['2']);
      stop();
      await until(() => service().watchers === 0);
      await client.dispose();
    },
  );

  it('has a stream for each subscriber', async () => {
    const client = createClient({
      url: address().replace('http', 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: { authorization: await tokenOf('user') },
      retryAttempts: 0,
    });
    const heard: Watched[] = [];
    client.subscribe({ query: watching }, sinkOf(heard));
    client.subscribe({ query: watching }, sinkOf(heard));
    await until(() => service().watchers === 2);
    await client.dispose();
    await until(() => service().watchers === 0);
  });

  it.each(['WebSocket', 'Server-Sent Events'])(
    'over %s ends with the code of what went wrong',
    async (way) => {
      const headers = { authorization: await tokenOf('user') };
      const client =
        way === 'WebSocket'
          ? createClient({
              url: address().replace('http', 'ws'),
              webSocketImpl: WebSocket,
              connectionParams: headers,
              retryAttempts: 0,
            })
          : createSseClient({ url: address(), headers, retryAttempts: 0 });
      const read = async (query: string): Promise<Watched[]> => {
        const heard: Watched[] = [];
        for await (const result of client.iterate({ query })) heard.push(result as unknown as Watched);
        return heard;
      };
      const refused = await read('subscription { notificationWatched(backlog: -1) { id } }');
      expect(refused).toMatchObject([{ errors: [{ extensions: { code: 'request-invalid' } }] }]);
      const reading = read(watching);
      await until(() => service().watchers === 1);
      await service().fault('dead');
      const broken = await reading;
      expect(broken.at(-1)).toMatchObject({
        errors: [{ extensions: { code: 'upstream-unreachable', retryable: true } }],
      });
      await service().fault('none');
      await client.dispose();
    },
  );
});
