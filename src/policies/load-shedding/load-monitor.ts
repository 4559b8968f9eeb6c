import { Inject, Injectable, Optional, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from '../../telemetry/logger.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { LOGGER } from '../../telemetry/telemetry.module.ts';
import { loadSheddingSchema, type LoadSheddingOptions } from './load-shedding.schema.ts';
import type { LoadReading, LoadSensor } from './process-sensor.ts';

/** Injection token of the {@link LoadSensor}. */
export const LOAD_SENSOR = Symbol('LOAD_SENSOR');

/** How often sensors are read, in ms. */
export const READ_EVERY_MS = 500;
/** How far the level goes at once towards what is read: who is refused lowers the load, which is to be seen before more are. */
const RISE = 0.5;

type Sensor = keyof LoadReading;
const SENSORS = [
  'eventLoopDelay',
  'eventLoopUtilization',
  'memory',
  'queueTime',
] as const satisfies readonly Sensor[];
const CALM: Readonly<Record<Sensor, number>> = {
  eventLoopDelay: 0,
  eventLoopUtilization: 0,
  memory: 0,
  queueTime: 0,
};

/**
 * Knows how much the gateway has to do: a level from 0 to 1 by the worst of its sensors, each scaled between two thresholds.
 * It rises once one has been over its threshold for a while, and comes down slowly. Reads them only while a route asks.
 */
@Injectable()
export class LoadMonitor implements OnModuleDestroy {
  /** How much there is to do: 0 for what can be borne, 1 for what cannot. */
  level = 0;
  #options: LoadSheddingOptions = loadSheddingSchema.parse({});
  #pressures = CALM;
  readonly #sensor: LoadSensor;
  #users = 0;
  #timer: NodeJS.Timeout | undefined = undefined;
  #readAt = 0;
  /** Since when a sensor is over its threshold, or since when none is; on the clock of `performance.now()`. */
  #overSince: number | undefined = undefined;
  #calmSince = 0;
  #isShedding = false;

  constructor(
    @Inject(LOAD_SENSOR) sensor: LoadSensor,
    @Optional() private readonly metrics?: Metrics,
    @Optional() @Inject(LOGGER) private readonly logger?: Logger,
  ) {
    this.#sensor = sensor;
  }

  /** Takes over the thresholds of the configuration that is in force. */
  use(options: LoadSheddingOptions | undefined): void {
    this.#options = options ?? loadSheddingSchema.parse({});
    if (this.#timer !== undefined) this.look();
  }

  /** Begins to look, for who goes by the level; ends with as many {@link unwatch}. */
  watch(): void {
    this.#users += 1;
    if (this.#timer !== undefined) return;
    this.#sensor.start();
    this.#timer = setInterval(() => this.look(), READ_EVERY_MS).unref();
    this.metrics?.overload.showLoad(() => ({ level: this.level, pressures: this.#pressures }));
  }

  /** Ends a {@link watch}. */
  unwatch(): void {
    this.#users -= 1;
    if (this.#users === 0) this.onModuleDestroy();
  }

  /** Ends all of them. */
  onModuleDestroy(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#sensor.stop();
    this.level = 0;
    this.#overSince = undefined;
    this.#isShedding = false;
  }

  /** Reads the sensors, and works out the level. */
  look(): void {
    const now = performance.now();
    const passedMs = now - this.#readAt;
    this.#readAt = now;
    const reading = this.#sensor.read();
    let pressure = 0;
    const pressures = { ...CALM };
    for (const sensor of SENSORS) {
      pressures[sensor] = this.#pressureOf(sensor, reading[sensor]);
      pressure = Math.max(pressure, pressures[sensor]);
    }
    this.#pressures = pressures;
    this.#switch(pressure, now);
    if (this.#isShedding) this.#follow(pressure, passedMs);
  }

  #pressureOf(sensor: Sensor, value: number): number {
    const trigger = this.#options[sensor];
    if (trigger === 'off') return 0;
    return Math.min(1, Math.max(0, (value - trigger.from) / (trigger.full - trigger.from)));
  }

  #switch(pressure: number, now: number): void {
    const { enterAfter, leaveAfter } = this.#options;
    if (pressure > 0) {
      this.#overSince ??= now;
      this.#calmSince = Infinity;
      if (!this.#isShedding && now - this.#overSince >= enterAfter) this.#begin();
      return;
    }
    this.#overSince = undefined;
    if (this.#calmSince === Infinity) this.#calmSince = now;
    if (this.#isShedding && now - this.#calmSince >= leaveAfter) this.#end();
  }

  #follow(pressure: number, passedMs: number): void {
    const { leaveAfter } = this.#options;
    if (pressure > this.level) this.level += (pressure - this.level) * RISE;
    else this.level = Math.max(pressure, this.level - passedMs / leaveAfter);
  }

  #begin(): void {
    this.#isShedding = true;
    this.logger?.warn(
      { pressures: this.#pressures },
      'the gateway has too much to do: requests are refused by class',
    );
  }

  #end(): void {
    this.#isShedding = false;
    this.level = 0;
    this.logger?.info('the gateway can bear its load again: nothing is refused for it any more');
  }
}
