import { Notifications } from './gen/shop/v1/notifications_pb.ts';
import { grpcUpstream } from './grpc-upstream.ts';

const notifications = grpcUpstream('notifications');

/** Counts a user's unread notifications and reads the latest of them. */
export const getUnread = notifications.unary('notifications.unread', Notifications.method.getUnread, {
  idempotent: true,
});
