import { Inject } from '@nestjs/common';
import { Args, Int, Resolver, Subscription } from '@nestjs/graphql';
import { eventsOf, type EventChannels } from '../../bff/graphql/live/events.ts';
import { Caller } from '../../calls/caller.ts';
import { watchNotifications, type WatchedNotification } from '../services/notifications.calls.ts';
import { PUB_SUB } from '../../config/tokens.ts';
import { CurrentExchange } from '../../exchange/exchange-of.ts';
import { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { NotificationType } from '../homepage/homepage.types.ts';
import { readNotification, type NotificationAdded } from './notification.event.ts';
import { WatchedNotificationType } from './notifications.types.ts';

/** Notifications as they arrive: from the channels of the store, or straight from the service. */
@Resolver()
export class NotificationsResolver {
  constructor(
    @Inject(PUB_SUB) private readonly channels: EventChannels,
    private readonly caller: Caller,
  ) {}

  /** Everybody hears of their own notifications; nobody can ask for another's. */
  @Subscription(() => NotificationType, { description: 'A notification for the caller.' })
  notificationAdded(@CurrentExchange() { principal }: Exchange): AsyncIterable<NotificationAdded> {
    if (principal === undefined) throw new Problem('credentials-missing');
    // Fails closed: an application could have the name of a user.
    if (principal.subject === undefined) throw new Problem('permission-denied');
    return eventsOf(this.channels, `notifications:${principal.subject}`, readNotification);
  }

  /** Each subscriber has a stream of the service of its own, with its own identity. */
  @Subscription(() => WatchedNotificationType, {
    description: 'A notification for the caller, as the service makes it.',
    resolve: (watched: WatchedNotification) => watched,
  })
  notificationWatched(
    @CurrentExchange() exchange: Exchange,
    @Args('backlog', {
      type: () => Int,
      defaultValue: 0,
      description: 'How many of the latest come first, oldest first; at most 50.',
    })
    backlog: number,
  ): AsyncIterable<WatchedNotification> {
    return this.caller.stream(watchNotifications, { backlog }, { exchange });
  }
}
