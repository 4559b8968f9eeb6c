import { Module } from '@nestjs/common';
import { NotificationsResolver } from './notifications.resolver.ts';

/** Notifications over GraphQL subscriptions, fed by the service through the channels of the store. */
@Module({ providers: [NotificationsResolver] })
export class NotificationsModule {}
