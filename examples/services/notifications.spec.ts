import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as pb from '../../src/clients/gen/shop/v1/notifications_pb.ts';
import type { GrpcService } from './grpc-service.ts';
import { startNotifications } from './notifications.ts';
import { unaryCall } from './unary-call.ts';

let notifications: GrpcService;
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
