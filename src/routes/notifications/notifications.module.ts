import { Module } from '@nestjs/common';
import { ClientsModule } from '../../clients/clients.module.ts';
import { NotificationsResolver } from './notifications.resolver.ts';

/** Notifications over GraphQL subscriptions, fed by the channels of the store and by a stream of the service. */
@Module({ imports: [ClientsModule], providers: [NotificationsResolver] })
export class NotificationsModule {}
