import { Module } from '@nestjs/common';
import { LOAD_SENSOR, LoadMonitor } from './load-monitor.ts';
import { loadSheddingPolicy } from './load-shedding.policy.ts';
import { LoadSheddingStageFactory } from './load-shedding.stage.ts';
import { ProcessSensor } from './process-sensor.ts';

/** Binds the monitor to the sensors of this process. */
@Module({
  providers: [
    { provide: LOAD_SENSOR, useFactory: () => new ProcessSensor() },
    LoadMonitor,
    LoadSheddingStageFactory,
  ],
  exports: [LoadMonitor, LoadSheddingStageFactory],
})
export class LoadSheddingModule {}

/** Registers the policy in THE ORDER. */
export const loadShedding = {
  policy: loadSheddingPolicy,
  factory: LoadSheddingStageFactory,
  module: LoadSheddingModule,
};
