import { expect, it } from '@jest/globals';
import { modules } from '../../routes/index.ts';
import { startTestGateway } from '../test-gateway.ts';

it('subscribes over WebSocket, as somebody, and says why it may not', async () => {
  await using gateway = await startTestGateway({
    modules,
    config: {
      version: 1,
      modules: ['homepage', 'notifications'],
      defaults: { policies: { authentication: { schemes: ['jwt'] } } },
      identity: {
        issuers: [{ issuer: 'https://id.test/', jwks: 'https://id.test/jwks', audiences: ['api'] }],
      },
      upstreams: {
        users: { targets: ['http://users.internal'] },
        feed: { targets: ['http://feed.internal'] },
        notifications: {
          protocol: 'grpc',
          descriptorSet: 'config/descriptors/shop.binpb',
          targets: ['grpc://notifications.internal'],
        },
      },
    },
  });
  const message = (id: string): object => ({ notification: { id, text: `text of ${id}` }, unread: 1 });
  gateway.grpc('notifications').on('Watch', { messages: [message('a'), message('b')] });
  const query = 'subscription { notificationWatched(backlog: 2) { id text } }';
  const watched = gateway.client(gateway.as({ id: 'ann' })).subscribe(query);
  const first = await watched.next();
  expect(first).toEqual({ data: { notificationWatched: { id: 'a', text: 'text of a' } } });
  expect((await watched.next())?.data).toMatchObject({ notificationWatched: { id: 'b' } });
  expect(await watched.next()).toBeUndefined();
  await watched.close();
  expect(gateway.grpc('notifications').requests).toMatchObject([
    { message: { backlog: 2 }, headers: { 'x-user-id': 'ann' } },
  ]);
  await expect(gateway.client().subscribe(query).next()).rejects.toThrow(/the subscription was refused: /);
});
