import { Module } from '@nestjs/common';
import { exposedViews } from '../../bff/exposed/exposed-views.ts';
import { CallsModule } from '../../calls/calls.module.ts';
import type { GatewayModule } from '../../config/gateway-module.ts';
import { FeedResolver } from './feed.resolver.ts';
import { ExposedHomepage } from './homepage.view.ts';

/** The first screen, over REST and GraphQL from one view, and its feed as a list of its own. */
@Module({ imports: [CallsModule, exposedViews(ExposedHomepage)], providers: [FeedResolver] })
export class HomepageModule {}

/** What `modules: [homepage]` switches on. */
export const homepage: GatewayModule = {
  name: 'homepage',
  module: HomepageModule,
  upstreams: { users: 'http', feed: 'http', notifications: 'grpc' },
  graphql: true,
};
