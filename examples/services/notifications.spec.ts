import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, status, type ClientReadableStream } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as pb from '../../src/routes/services/gen/shop/v1/notifications_pb.ts';
import { startNotifications, type NotificationsService } from './notifications.ts';
import { unaryCall } from './unary-call.ts';

let notifications: NotificationsService;
beforeAll(async () => {
  notifications = await startNotifications();
});
afterAll(() => notifications.stop());

const unread = (
  metadata: Readonly<Record<string, string>>,
  request: MessageInitShape<typeof pb.GetUnreadRequestSchema> = {},
): Promise<pb.GetUnreadResponse> =>
  unaryCall(
    notifications.url,
    pb.Notifications.method.getUnread,
    create(pb.GetUnreadRequestSchema, request),
    {
      metadata,
    },
  );

describe('GetUnread', () => {
  it("counts the caller's own and answers the latest five, newest first", async () => {
    const answer = await unread({ 'x-user-id': '2' });
    expect(answer.unread).toBe(7);
    expect(answer.latest.map(({ id }) => id)).toEqual([
      'ntf-2-7',
      'ntf-2-6',
      'ntf-2-5',
      'ntf-2-4',
      'ntf-2-3',
    ]);
    expect(answer.latest[0]?.text).toBe('Your order was shipped');
    const seconds = answer.latest.map(({ createdAt }) => Number(createdAt?.seconds));
    expect(seconds).toEqual(seconds.toSorted((a, b) => b - a));
  });

  it('answers as many as asked for', async () => {
    expect((await unread({ 'x-user-id': '2' }, { userId: '2', limit: 2 })).latest).toHaveLength(2);
  });

  it('answers none for a user without notifications', async () => {
    expect(await unread({ 'x-user-id': '6' })).toMatchObject({ unread: 0, latest: [] });
  });

  it('lets only an admin ask for somebody else', async () => {
    const admin = { 'x-user-id': '1', 'x-user-roles': 'admin' };
    expect((await unread(admin, { userId: '4' })).unread).toBe(12);
    const refused = { code: status.PERMISSION_DENIED };
    await expect(unread({ 'x-user-id': '2' }, { userId: '4' })).rejects.toMatchObject(refused);
  });

  it('answers UNAUTHENTICATED without identity and INVALID_ARGUMENT for a negative limit', async () => {
    await expect(unread({})).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    const refused = { code: status.INVALID_ARGUMENT, details: 'limit: must not be negative' };
    await expect(unread({ 'x-user-id': '2' }, { limit: -1 })).rejects.toMatchObject(refused);
  });
});

describe('Watch', () => {
  let client: Client;
  beforeAll(() => {
    client = new Client(notifications.url.slice('grpc://'.length), credentials.createInsecure());
  });
  afterAll(() => client.close());

  const watch = (request: MessageInitShape<typeof pb.WatchRequestSchema>, userId = '3') => {
    const metadata = new Metadata();
    if (userId !== '') metadata.set('x-user-id', userId);
    return client.makeServerStreamRequest(
      '/shop.v1.Notifications/Watch',
      (message: pb.WatchRequest) => Buffer.from(toBinary(pb.WatchRequestSchema, message)),
      (bytes) => fromBinary(pb.WatchResponseSchema, bytes),
      create(pb.WatchRequestSchema, request),
      metadata,
    );
  };
  const seen = async (stream: ClientReadableStream<pb.WatchResponse>): Promise<unknown[]> => {
    const heard: unknown[] = [];
    for await (const { notification, unread } of stream as AsyncIterable<pb.WatchResponse>)
      heard.push([notification?.id, unread]);
    return heard;
  };

  it('sends the backlog, oldest first, and then what is made, counted on', async () => {
    const heard = seen(watch({ backlog: 9, count: 2 }));
    while (notifications.watchers === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    notifications.notify('2', 'for somebody else');
    notifications.notify('3', 'for this one');
    expect(await heard).toEqual([
      ['ntf-3-1', 1],
      ['ntf-3-2', 2],
    ]);
    expect((await unread({ 'x-user-id': '3' })).latest.map(({ text }) => text)).toEqual([
      'for this one',
      'Your order was shipped',
    ]);
    while (notifications.watchers > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('refuses what GetUnread refuses', async () => {
    await expect(seen(watch({}, ''))).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    await expect(seen(watch({ userId: '4' }))).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    await expect(seen(watch({ count: -1 }))).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it('makes something happen now and then, when it is told to', async () => {
    const lively = await startNotifications({ everyMs: 20 });
    const other = new Client(lively.url.slice('grpc://'.length), credentials.createInsecure());
    const [before, after] = [client, other];
    client = after;
    expect(await seen(watch({ count: 2 }, '6'))).toEqual([
      ['ntf-6-1', 1],
      ['ntf-6-2', 2],
    ]);
    client = before;
    other.close();
    await lively.stop();
  });
});
