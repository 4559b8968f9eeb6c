import { totalmem } from 'node:os';
import { monitorEventLoopDelay, performance, type EventLoopUtilization } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { longestStandingMs } from '../../exchange/standing-queues.ts';

/** How much a process has to do. */
export interface LoadReading {
  /** How late the event loop was since the last reading (p99), in ms. */
  readonly eventLoopDelay: number;
  /** Which part of the time since the last reading it was busy. */
  readonly eventLoopUtilization: number;
  /** Which part is used of the memory that it may have. */
  readonly memory: number;
  /** How long requests wait in the queue where they wait longest, in ms: the least since the last reading. */
  readonly queueTime: number;
}

/** Tells how much a process has to do. */
export interface LoadSensor {
  start(): void;
  read(): LoadReading;
  stop(): void;
}

const RESOLUTION_MS = 10;
const NANOSECONDS_PER_MS = 1e6;
const PERCENTILE = 99;

/** The sensors of this process. */
export class ProcessSensor implements LoadSensor {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #before: EventLoopUtilization = performance.eventLoopUtilization();

  start(): void {
    this.#before = performance.eventLoopUtilization();
    this.#delay.reset();
    this.#delay.enable();
  }

  read(): LoadReading {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#before);
    this.#before = now;
    // It tells the time between two looks, of which one is expected.
    const delay = this.#delay.percentile(PERCENTILE) / NANOSECONDS_PER_MS - RESOLUTION_MS;
    this.#delay.reset();
    return {
      eventLoopDelay: Math.max(0, delay),
      eventLoopUtilization: utilization,
      memory: Math.max(heapShare(), containerShare()),
      queueTime: longestStandingMs(performance.now()),
    };
  }

  stop(): void {
    this.#delay.disable();
  }
}

function heapShare(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used / limit;
}

/** Of the memory that the container may have; 0 where there is none. */
function containerShare(): number {
  const most = process.constrainedMemory();
  return most > 0 && most < totalmem() ? process.memoryUsage.rss() / most : 0;
}
