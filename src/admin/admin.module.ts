import { Module } from '@nestjs/common';
import { AdminOrders } from './admin-orders.ts';
import { AdminListener } from './admin.listener.ts';

/** The operators' listener. */
@Module({ providers: [AdminListener, AdminOrders], exports: [AdminListener] })
export class AdminModule {}
