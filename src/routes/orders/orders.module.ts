import { Module } from '@nestjs/common';
import { ClientsModule } from '../../clients/clients.module.ts';
import { OrdersController } from './orders.controller.ts';

/** The orders of the shop over REST. Copy this folder to add a feature of your own. */
@Module({ imports: [ClientsModule], controllers: [OrdersController] })
export class OrdersModule {}
