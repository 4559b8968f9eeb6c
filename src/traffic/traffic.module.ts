import { Global, Module } from '@nestjs/common';
import { Traffic } from './traffic.ts';

/** What operators see of the traffic of this process. */
@Global()
@Module({ providers: [Traffic], exports: [Traffic] })
export class TrafficModule {}
