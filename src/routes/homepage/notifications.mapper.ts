import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { GetUnreadResponse } from '../../clients/gen/shop/v1/notifications_pb.ts';

/** Notifications as both faces show them: plain data, no protobuf. */
export interface NotificationsData {
  readonly unread: number;
  readonly latest: readonly {
    readonly id: string;
    readonly text: string;
    readonly createdAt: string | null;
  }[];
}

/** Maps the answer of the service. Times are RFC 3339; `null` when the service does not say. */
export function toNotifications({ unread, latest }: GetUnreadResponse): NotificationsData {
  return {
    unread,
    latest: latest.map(({ id, text, createdAt }) => ({
      id,
      text,
      createdAt: createdAt === undefined ? null : timestampDate(createdAt).toISOString(),
    })),
  };
}
