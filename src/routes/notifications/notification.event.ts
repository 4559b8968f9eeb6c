import { Logger } from '@nestjs/common';
import { z } from 'zod';

const message = z.object({
  id: z.string().min(1),
  text: z.string(),
  createdAt: z.iso.datetime().nullable().default(null),
});

/** One event of the subscription `notificationAdded`. */
export interface NotificationAdded {
  readonly notificationAdded: z.output<typeof message>;
}

const logger = new Logger('Notifications');

/** Reads what the service publishes; what has another shape is logged and left out. */
export function readNotification(text: string): NotificationAdded | undefined {
  const parsed = message.safeParse(parseJson(text));
  if (parsed.success) return { notificationAdded: parsed.data };
  logger.warn(`a message on a channel of notifications is left out: ${z.prettifyError(parsed.error)}`);
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
