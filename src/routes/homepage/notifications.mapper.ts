import { timestampDate } from '@bufbuild/protobuf/wkt';
import { z } from 'zod';
import type { GetUnreadResponse } from '../services/gen/shop/v1/notifications_pb.ts';

/** Notifications as both faces show them: plain data, no protobuf. */
export const notificationsData = z
  .object({
    unread: z.int().describe('How many there are in all.'),
    latest: z
      .array(
        z
          .object({ id: z.string(), text: z.string(), createdAt: z.iso.datetime().nullable() })
          .readonly()
          .meta({ id: 'Notification' }),
      )
      .readonly()
      .describe('The latest of them, newest first.'),
  })
  .readonly()
  .meta({ id: 'Notifications' });

/** As much of them as a small screen shows. */
export const unreadData = z.object({ unread: z.int() }).readonly().meta({ id: 'UnreadNotifications' });

/** Notifications as both faces show them. */
export type NotificationsData = z.output<typeof notificationsData>;

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
