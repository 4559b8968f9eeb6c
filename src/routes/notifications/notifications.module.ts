import { Module } from '@nestjs/common';
import { CallsModule } from '../../calls/calls.module.ts';
import type { GatewayModule } from '../../config/gateway-module.ts';
import { NotificationsResolver } from './notifications.resolver.ts';

/** Notifications over GraphQL subscriptions, fed by the channels of the store and by a stream of the service. */
@Module({ imports: [CallsModule], providers: [NotificationsResolver] })
export class NotificationsModule {}

/** What `modules: [notifications]` switches on. */
export const notifications: GatewayModule = {
  name: 'notifications',
  module: NotificationsModule,
  upstreams: { notifications: 'grpc' },
  graphql: true,
  // A schema of subscriptions alone is none: it needs the queries of the homepage.
  needs: ['homepage'],
};
