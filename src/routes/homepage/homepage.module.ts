import { Module } from '@nestjs/common';
import { ViewsModule } from '../../bff/views.module.ts';
import { CallsModule } from '../../calls/calls.module.ts';
import type { GatewayModule } from '../../config/gateway-module.ts';
import { FeedResolver } from './feed.resolver.ts';
import { HomepageController } from './homepage.controller.ts';
import { HomepageResolver } from './homepage.resolver.ts';

/** The first screen, over REST and GraphQL from one view, and its feed as a list of its own. */
@Module({
  imports: [CallsModule, ViewsModule],
  controllers: [HomepageController],
  providers: [HomepageResolver, FeedResolver],
})
export class HomepageModule {}

/** What `modules: [homepage]` switches on. */
export const homepage: GatewayModule = {
  name: 'homepage',
  module: HomepageModule,
  upstreams: { users: 'http', feed: 'http', notifications: 'grpc' },
  graphql: true,
};
