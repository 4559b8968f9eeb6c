import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Notifications, type WatchResponse } from './gen/shop/v1/notifications_pb.ts';
import { grpcUpstream } from '../../calls/grpc-upstream.ts';

const notifications = grpcUpstream('notifications');

/** Counts a user's unread notifications and reads the latest of them. */
export const getUnread = notifications.unary('notifications.unread', Notifications.method.getUnread, {
  idempotent: true,
});

/** A notification of a stream. */
export interface WatchedNotification {
  readonly id: string;
  readonly text: string;
  /** RFC 3339, or null when the service does not say. */
  readonly createdAt: string | null;
  /** How many are unread with it. */
  readonly unread: number;
}

/** Hears of a user's notifications as the service makes them. */
export const watchNotifications = notifications.serverStream(
  'notifications.watch',
  Notifications.method.watch,
  { idempotent: true, decode: readWatched },
);

/** @throws {Error} when the service sends no notification at all. */
function readWatched({ notification, unread }: WatchResponse): WatchedNotification {
  if (notification === undefined) throw new Error('/notification: expected a notification');
  const { id, text, createdAt } = notification;
  return { id, text, createdAt: createdAt ? timestampDate(createdAt).toISOString() : null, unread };
}
