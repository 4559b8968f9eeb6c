import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import * as pb from '../../src/clients/gen/shop/v1/notifications_pb.ts';
import { callerOf, GrpcError } from './grpc-caller.ts';
import { GrpcService } from './grpc-service.ts';
import { KeptAnswers } from './kept-answers.ts';
import type { ServiceOptions } from './sample-service.ts';

const DEFAULT_LIMIT = 5;
const MAX_LIMIT = 50;
const NEWEST = Date.UTC(2026, 10, 1, 11);
const HOUR_MS = 3_600_000;
const TEXTS = [
  'Your order was shipped',
  'Grace published something new',
  'Your payment arrived',
  'Bob mentioned you',
];

/** How many unread notifications each user has. */
const UNREAD: ReadonlyMap<string, number> = new Map([
  ['1', 3],
  ['2', 7],
  ['3', 1],
  ['4', 12],
]);

/**
 * Starts `shop.v1.Notifications` over gRPC.
 *
 * @throws {Error} naming service and port when the port is taken.
 */
export function startNotifications(options: ServiceOptions = {}): Promise<GrpcService> {
  const answers = new KeptAnswers<pb.GetUnreadResponse>();
  return new GrpcService('notifications', options, pb.Notifications, {
    getUnread: ({ userId, limit }, metadata) => {
      const caller = callerOf(metadata);
      const wanted = userId === '' ? caller.id : userId;
      if (wanted !== caller.id && !caller.isAdmin) {
        throw new GrpcError(status.PERMISSION_DENIED, 'user_id: only an admin may ask for somebody else');
      }
      if (limit < 0) throw new GrpcError(status.INVALID_ARGUMENT, 'limit: must not be negative');
      const key = `${limit}|${wanted}`;
      return answers.get(key) ?? answers.keep(key, unread(wanted, limit === 0 ? DEFAULT_LIMIT : limit));
    },
  }).start();
}

function unread(userId: string, limit: number): pb.GetUnreadResponse {
  const count = UNREAD.get(userId) ?? 0;
  const latest = Array.from({ length: Math.min(count, limit, MAX_LIMIT) }, (_, index) => ({
    id: `ntf-${userId}-${count - index}`,
    text: TEXTS[index % TEXTS.length] ?? '',
    createdAt: timestampFromMs(NEWEST - index * HOUR_MS),
  }));
  return create(pb.GetUnreadResponseSchema, { unread: count, latest });
}
