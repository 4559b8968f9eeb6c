import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { status, type Metadata } from '@grpc/grpc-js';
import * as pb from '../../src/routes/services/gen/shop/v1/notifications_pb.ts';
import { callerOf, GrpcError } from './grpc-caller.ts';
import { GrpcService } from './grpc-service.ts';
import { KeptAnswers } from './kept-answers.ts';
import { Mailboxes } from './mailboxes.ts';
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

/** How many unread notifications each user has at first. */
const UNREAD: ReadonlyMap<string, number> = new Map([
  ['1', 3],
  ['2', 7],
  ['3', 1],
  ['4', 12],
]);

/** How the service of the notifications is started. */
export interface NotificationsOptions extends ServiceOptions {
  /** How often something happens to somebody who watches, in ms; never by default. */
  readonly everyMs?: number | undefined;
}

/** `shop.v1.Notifications`, and what happens to its users. */
export class NotificationsService extends GrpcService<(typeof pb.Notifications)['method']> {
  readonly #mailboxes: Mailboxes;

  constructor({ everyMs, ...options }: NotificationsOptions) {
    const mailboxes = new Mailboxes();
    super('notifications', options, pb.Notifications, {
      getUnread: unreadOf(mailboxes),
      watch: (request, metadata, signal) => watch(mailboxes, request, metadata, signal),
    });
    this.#mailboxes = mailboxes;
    if (everyMs !== undefined) setInterval(() => this.#happen(), everyMs).unref();
  }

  /** How many streams are open. */
  get watchers(): number {
    return this.#mailboxes.watchers;
  }

  /** Something happens to a user: who watches hears of it. */
  notify(userId: string, text: string): void {
    const id = `ntf-${userId}-${countOf(userId, this.#mailboxes) + 1}`;
    const createdAt = timestampFromMs(Date.now());
    this.#mailboxes.put(userId, create(pb.NotificationSchema, { id, text, createdAt }));
  }

  #happen(): void {
    for (const userId of this.#mailboxes.watched) {
      this.notify(userId, TEXTS[this.#mailboxes.madeFor(userId).count % TEXTS.length] ?? '');
    }
  }
}

/**
 * Starts `shop.v1.Notifications` over gRPC.
 *
 * @throws {Error} naming service and port when the port is taken.
 */
export function startNotifications(options: NotificationsOptions = {}): Promise<NotificationsService> {
  return new NotificationsService(options).start();
}

function unreadOf(
  mailboxes: Mailboxes,
): (request: pb.GetUnreadRequest, metadata: Metadata) => pb.GetUnreadResponse {
  const answers = new KeptAnswers<pb.GetUnreadResponse>();
  return ({ userId, limit }, metadata) => {
    const wanted = wantedUser(userId, metadata);
    if (limit < 0) throw new GrpcError(status.INVALID_ARGUMENT, 'limit: must not be negative');
    const unread = countOf(wanted, mailboxes);
    const key = `${unread}|${limit}|${wanted}`;
    const known = answers.get(key);
    if (known !== undefined) return known;
    const latest = latestOf(wanted, limit === 0 ? DEFAULT_LIMIT : limit, mailboxes);
    return answers.keep(key, create(pb.GetUnreadResponseSchema, { unread, latest }));
  };
}

function watch(
  mailboxes: Mailboxes,
  { userId, backlog, count }: pb.WatchRequest,
  metadata: Metadata,
  signal: AbortSignal,
): AsyncIterable<pb.WatchResponse> {
  const wanted = wantedUser(userId, metadata);
  if (backlog < 0) throw new GrpcError(status.INVALID_ARGUMENT, 'backlog: must not be negative');
  if (count < 0) throw new GrpcError(status.INVALID_ARGUMENT, 'count: must not be negative');
  const all = watched(mailboxes, wanted, backlog, signal);
  return count === 0 ? all : first(count, all);
}

async function* watched(
  mailboxes: Mailboxes,
  userId: string,
  backlog: number,
  signal: AbortSignal,
): AsyncGenerator<pb.WatchResponse> {
  // Opened before the first is sent: what happens meanwhile is not lost.
  const mailbox = mailboxes.open(userId, signal);
  try {
    let unread = countOf(userId, mailboxes);
    const earlier = latestOf(userId, backlog, mailboxes).toReversed();
    unread -= earlier.length;
    for (const notification of earlier) {
      yield create(pb.WatchResponseSchema, { notification, unread: (unread += 1) });
    }
    for await (const [notification, made] of mailbox) {
      yield create(pb.WatchResponseSchema, { notification, unread: (UNREAD.get(userId) ?? 0) + made });
    }
  } finally {
    await mailbox.return?.();
  }
}

async function* first<Item>(count: number, items: AsyncIterable<Item>): AsyncGenerator<Item> {
  let left = count;
  for await (const item of items) {
    yield item;
    if ((left -= 1) === 0) return;
  }
}

/** @throws {GrpcError} PERMISSION_DENIED, or UNAUTHENTICATED without a caller. */
function wantedUser(userId: string, metadata: Metadata): string {
  const caller = callerOf(metadata);
  const wanted = userId === '' ? caller.id : userId;
  if (wanted !== caller.id && !caller.isAdmin) {
    throw new GrpcError(status.PERMISSION_DENIED, 'user_id: only an admin may ask for somebody else');
  }
  return wanted;
}

function countOf(userId: string, mailboxes: Mailboxes): number {
  return (UNREAD.get(userId) ?? 0) + mailboxes.madeFor(userId).count;
}

/** Newest first. */
function latestOf(userId: string, limit: number, mailboxes: Mailboxes): pb.Notification[] {
  const most = Math.min(limit, MAX_LIMIT);
  const count = UNREAD.get(userId) ?? 0;
  const old = Array.from({ length: Math.min(count, most) }, (_, index) =>
    create(pb.NotificationSchema, {
      id: `ntf-${userId}-${count - index}`,
      text: TEXTS[index % TEXTS.length] ?? '',
      createdAt: timestampFromMs(NEWEST - index * HOUR_MS),
    }),
  );
  return [...mailboxes.madeFor(userId).latest.toReversed(), ...old].slice(0, most);
}
