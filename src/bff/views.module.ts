import { Module } from '@nestjs/common';
import { ClientsModule } from '../clients/clients.module.ts';
import { ViewGuards } from './view-guards.ts';
import { Views } from './views.ts';

/** Provides {@link Views} to the modules of teams, and the guards of views to the GraphQL door. */
@Module({ imports: [ClientsModule], providers: [Views, ViewGuards], exports: [Views, ViewGuards] })
export class ViewsModule {}
