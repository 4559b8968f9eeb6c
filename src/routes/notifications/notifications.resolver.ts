import { Inject } from '@nestjs/common';
import { Resolver, Subscription } from '@nestjs/graphql';
import { eventsOf, type EventChannels } from '../../bff/graphql/events.ts';
import { PUB_SUB } from '../../config/tokens.ts';
import { CurrentExchange } from '../../exchange/exchange-of.ts';
import { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { NotificationType } from '../homepage/homepage.types.ts';
import { readNotification, type NotificationAdded } from './notification.event.ts';

/** Notifications as they arrive. */
@Resolver()
export class NotificationsResolver {
  constructor(@Inject(PUB_SUB) private readonly channels: EventChannels) {}

  /** Everybody hears of their own notifications; nobody can ask for another's. */
  @Subscription(() => NotificationType, { description: 'A notification for the caller.' })
  notificationAdded(@CurrentExchange() { principal }: Exchange): AsyncIterable<NotificationAdded> {
    if (principal === undefined) throw new Problem('credentials-missing');
    return eventsOf(this.channels, `notifications:${principal.id}`, readNotification);
  }
}
