/**
 * Measures what the metrics of a request cost the process of a gateway: `npm run bench -- --only metrics`. They cannot be
 * switched off, so that there is no gateway without them to be compared with.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { Metrics } from '../src/telemetry/metrics.ts';
import { median } from './table.ts';

const REQUESTS = 200_000;
const ROUNDS = 9;
const TARGET_US = 1;
const TRACE = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };

/** Measures in a process of its own. @returns a Markdown table. */
export function metricTimes(): string {
  return execFileSync(process.execPath, [import.meta.filename], { encoding: 'utf8' }).trim();
}

/** What a proxied request counts: itself, its bytes, its attempt; with a trace an exemplar too. */
function requestsWith(trace: typeof TRACE | undefined): () => void {
  const metrics = new Metrics();
  const route = metrics.forRoute('users');
  return () => {
    for (let made = 0; made < REQUESTS; made += 1) {
      metrics.traffic.inFlight += 1;
      metrics.upstreams.attempted('users', '200', 3);
      metrics.traffic.inFlight -= 1;
      route.observe('GET', 200, 4 + (made % 50), false, trace);
      route.sent(227);
    }
  };
}

if (import.meta.main) {
  const kinds = [
    ['a proxied request', requestsWith(undefined)],
    ['one with spans: an exemplar too', requestsWith(TRACE)],
  ] as const;
  const rounds = kinds.map((): number[] => []);
  for (const [, make] of kinds) make();
  for (let turn = 0; turn < ROUNDS; turn += 1)
    for (const [index, [, make]] of kinds.entries()) {
      const before = process.cpuUsage();
      make();
      const { user, system } = process.cpuUsage(before);
      rounds[index]?.push((user + system) / REQUESTS);
    }
  console.log('| what is counted for | CPU µs | target |\n| :- | -: | -: |');
  for (const [index, [title]] of kinds.entries()) {
    const us = median(rounds[index] as number[]);
    console.log(`| ${title} | ${us.toFixed(2)} | ≤ ${TARGET_US} ${us <= TARGET_US ? 'met' : 'above'} |`);
  }
}
