import { Global, Module } from '@nestjs/common';
import { Recorder } from './recorder.ts';

/** What exchanges are recorded by. */
@Global()
@Module({ providers: [Recorder], exports: [Recorder] })
export class RecordModule {}
