import { monitorEventLoopDelay, performance, type EventLoopUtilization } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import { ReadGauge } from './read-gauge.ts';

const NANOSECONDS = 1e9;
/** How often the loop is looked at. A turn that is in time comes after so long, which is no delay. */
const RESOLUTION_MS = 20;
/** What is shown is of one window: two who scrape see the same, and take nothing from each other. */
const WINDOW_MS = 10_000;
const PERCENTILES = [50, 90, 99];

/** How late the event loop is, and how busy. */
export class LoopMetrics {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #shown: readonly number[] | undefined = undefined;
  #utilization: EventLoopUtilization = performance.eventLoopUtilization();
  #shownUtilization: number | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(registry: Registry) {
    new ReadGauge(
      {
        name: 'gatehouse_event_loop_delay_seconds',
        help: 'How late the event loop was within the last whole window of 10 s.',
        // Not `quantile`, which Prometheus keeps for summaries.
        labels: ['percentile'],
      },
      registry,
      (show) => {
        const delays = this.#shown ?? this.#read();
        for (const [index, percentile] of PERCENTILES.entries()) show(delays[index] ?? 0, String(percentile));
      },
    );
    new ReadGauge(
      {
        name: 'gatehouse_event_loop_utilization_ratio',
        help: 'Share of the last whole window of 10 s in which the event loop was busy, from 0 to 1.',
      },
      registry,
      (show) =>
        show(this.#shownUtilization ?? performance.eventLoopUtilization(this.#utilization).utilization),
    );
  }

  /** How late 99 of 100 turns were at most, in ms, within the last whole window. */
  get lateMs(): number {
    return ((this.#shown ?? this.#read()).at(-1) ?? 0) * 1000;
  }

  /** Starts to sample; a stopped process holds no timer. */
  start(): void {
    this.#delay.enable();
    this.#utilization = performance.eventLoopUtilization();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#endWindow(), WINDOW_MS).unref();
  }

  /** Stops sampling. */
  stop(): void {
    this.#delay.disable();
    clearInterval(this.#timer);
  }

  #endWindow(): void {
    this.#shown = this.#read();
    this.#delay.reset();
    this.#shownUtilization = performance.eventLoopUtilization(this.#utilization).utilization;
    this.#utilization = performance.eventLoopUtilization();
  }

  #read(): readonly number[] {
    return PERCENTILES.map((percentile) =>
      Math.max(0, this.#delay.percentile(percentile) / NANOSECONDS - RESOLUTION_MS / 1000),
    );
  }
}
