import type { Metrics } from '../telemetry/metrics.ts';
import { shown } from './numbers.ts';
import type { ProcessNumbers } from './traffic-answers.ts';

const FRESH_MS = 900;
const MICROSECONDS_PER_MS = 1000;

/** How the process is; read at most once a second, whoever asks. */
export class ProcessLook {
  readonly #metrics: Metrics;
  #usage = process.cpuUsage();
  #at = performance.now();
  #last: ProcessNumbers | undefined = undefined;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  numbers(): ProcessNumbers {
    const now = performance.now();
    if (this.#last !== undefined && now - this.#at < FRESH_MS) return this.#last;
    const { user, system } = process.cpuUsage(this.#usage);
    const cpu = (user + system) / MICROSECONDS_PER_MS / Math.max(1, now - this.#at);
    this.#usage = process.cpuUsage();
    this.#at = now;
    const { heapUsed, rss } = process.memoryUsage();
    this.#last = {
      loopDelayMs: shown(this.#metrics.loop.lateMs),
      cpu: shown(cpu),
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      inFlight: this.#metrics.traffic.inFlight,
    };
    return this.#last;
  }
}
