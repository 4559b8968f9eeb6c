import { Module } from '@nestjs/common';
import { UpstreamsModule } from '../upstreams/upstreams.module.ts';
import { Caller } from './caller.ts';

/** Gives teams the {@link Caller}. */
@Module({ imports: [UpstreamsModule], providers: [Caller], exports: [Caller] })
export class CallsModule {}
