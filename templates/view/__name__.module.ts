import { Module } from '@nestjs/common';
import { CallsModule, ViewsModule, type GatewayModule } from 'gatehouse';
import { __Name__Controller } from './__name__.controller.ts';

@Module({ imports: [CallsModule, ViewsModule], controllers: [__Name__Controller] })
export class __Name__Module {}

/** What `modules: [__name__]` switches on. */
export const __camel__: GatewayModule = {
  name: '__name__',
  module: __Name__Module,
  upstreams: { __upstreamKey__: 'http' },
};
