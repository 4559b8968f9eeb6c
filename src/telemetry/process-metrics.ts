import { readdirSync } from 'node:fs';
import { Counter, type Registry } from 'prom-client';
import { ReadGauge } from './read-gauge.ts';

const MICROSECONDS = 1e6;
const STARTED_AT_S = (Date.now() - performance.now()) / 1000;

/** What Prometheus' client libraries show of every process, by the names that they all use. */
export function registerProcessMetrics(registry: Registry): void {
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Time of the CPU that the process has used, by all of its threads.',
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / MICROSECONDS);
    },
  });
  const gauge = (name: string, help: string, read: () => number | undefined): void => {
    new ReadGauge({ name, help }, registry, (show) => {
      const value = read();
      if (value !== undefined) show(value);
    });
  };
  gauge(
    'process_start_time_seconds',
    'When the process was started, in seconds since the epoch.',
    () => STARTED_AT_S,
  );
  gauge('process_resident_memory_bytes', 'Memory of the machine that the process takes.', () =>
    process.memoryUsage.rss(),
  );
  gauge('process_open_fds', 'Files and sockets that are open; only on Linux.', openFiles);
  gauge(
    'nodejs_heap_used_bytes',
    'Memory of the JavaScript heap that is in use.',
    () => process.memoryUsage().heapUsed,
  );
  gauge('nodejs_external_memory_bytes', 'Memory of buffers and other objects outside of the heap.', () => {
    const { external } = process.memoryUsage();
    return external;
  });
}

function openFiles(): number | undefined {
  try {
    // The one that is read just now is one of them.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}
