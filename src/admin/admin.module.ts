import { Module } from '@nestjs/common';
import { AdminListener } from './admin.listener.ts';

/** The operators' listener. */
@Module({ providers: [AdminListener], exports: [AdminListener] })
export class AdminModule {}
