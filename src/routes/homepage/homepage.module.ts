import { Module } from '@nestjs/common';
import { ViewsModule } from '../../bff/views.module.ts';
import { HomepageController } from './homepage.controller.ts';
import { HomepageResolver } from './homepage.resolver.ts';

/** The first screen, over REST and GraphQL from one view. */
@Module({ imports: [ViewsModule], controllers: [HomepageController], providers: [HomepageResolver] })
export class HomepageModule {}
