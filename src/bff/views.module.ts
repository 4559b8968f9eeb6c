import { Module } from '@nestjs/common';
import { ClientsModule } from '../clients/clients.module.ts';
import { Views } from './views.ts';

/** Provides {@link Views} to the modules of teams. */
@Module({ imports: [ClientsModule], providers: [Views], exports: [Views] })
export class ViewsModule {}
