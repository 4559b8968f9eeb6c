import { Module } from '@nestjs/common';
import { CallsModule } from '../calls/calls.module.ts';
import { ViewGuards } from './view-guards.ts';
import { Views } from './views.ts';

/** Provides {@link Views} to the modules of teams, and the guards of views to the GraphQL door. */
@Module({ imports: [CallsModule], providers: [Views, ViewGuards], exports: [Views, ViewGuards] })
export class ViewsModule {}
