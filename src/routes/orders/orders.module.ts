import { Module } from '@nestjs/common';
import { CallsModule } from '../../calls/calls.module.ts';
import type { GatewayModule } from '../../config/gateway-module.ts';
import { OrdersController } from './orders.controller.ts';
import { OrdersResolver } from './orders.resolver.ts';

/** The orders of the shop over REST and GraphQL. Copy this folder to add a feature of your own. */
@Module({ imports: [CallsModule], controllers: [OrdersController], providers: [OrdersResolver] })
export class OrdersModule {}

/** What `modules: [orders]` switches on. */
export const orders: GatewayModule = {
  name: 'orders',
  module: OrdersModule,
  upstreams: { orders: 'grpc' },
  graphql: true,
};
