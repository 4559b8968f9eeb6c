import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import type { BenchCase } from './cases.ts';
import type { Subject } from './stand.ts';

const LOG_FLUSH_MS = 600;
/** Above this share of requests that were answered in another way than the case is about, the case fails. */
const MAX_FALLBACK_SHARE = 0.25;
/** Above this share, the reader is told. */
const NOTED_FALLBACK_SHARE = 0.001;

/**
 * Asks both for the same thing before anything is measured.
 *
 * @throws {Error} unless both answer 200 with JSON of the same shape and values.
 */
export async function checkSameAnswer(
  one: BenchCase,
  { gateway, twin }: { gateway: Subject; twin: Subject },
  token: string | undefined,
): Promise<void> {
  const ours = await ask(one, gateway, token);
  const bare = await ask(one, twin, token);
  if (ours !== bare) {
    throw new Error(`gateway and twin answer differently:\n  gateway ${ours}\n  twin    ${bare}`);
  }
}

async function ask(one: BenchCase, subject: Subject, token: string | undefined): Promise<string> {
  const { method, path, headers, body } = one.request;
  const response = await fetch(subject.origin + path, {
    method,
    headers: token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  if (response.status !== 200)
    throw new Error(`${subject.origin}${path} answered ${response.status}: ${text}`);
  return JSON.stringify(JSON.parse(text));
}

/**
 * Makes sure that the gateway did all of what the case says it does: the metrics show every request, the limiter
 * decided on every one, the access log has a line for each, and Redis was really used.
 *
 * @returns a sentence that a reader of the numbers should know, if there is one.
 * @throws {Error} naming what is missing.
 */
export async function checkWork(
  one: BenchCase,
  gateway: Subject,
  requests: number,
): Promise<string | undefined> {
  await sleep(LOG_FLUSH_MS);
  const metrics = await (await fetch(`${gateway.adminOrigin}/metrics`)).text();
  const counted = sumOf(metrics, 'gatehouse_request_duration_seconds_count', `route="${one.routeId}"`);
  expectAtLeast('requests in the metrics', counted, requests);
  if (one.limited) {
    const passed = sumOf(metrics, 'gatehouse_rate_limit_decisions_total', `route="${one.routeId}"`);
    expectAtLeast('decisions of the limiter in the metrics', passed, requests);
  }
  if (one.logLevel === 'info') expectAtLeast('access lines', await accessLines(gateway, one), requests);
  if (one.needsRedis && !/^gatehouse_store_up 1$/m.test(metrics)) {
    throw new Error('Redis was not used at the end');
  }
  return noteOn(fallbacksOf(one, metrics) / requests, one);
}

// Services and Redis share a core with the load tool, so some of their answers come too late: the limiter then
// counts in the process, and the homepage shows a section without its data. Both answer 200.
function fallbacksOf(one: BenchCase, metrics: string): number {
  if (one.needsRedis) {
    return sumOf(
      metrics,
      'gatehouse_rate_limit_decisions_total',
      `route="${one.routeId}",outcome="store-error`,
    );
  }
  const all = sumOf(metrics, 'gatehouse_view_sections_total', '');
  return all - sumOf(metrics, 'gatehouse_view_sections_total', 'outcome="ok"');
}

function noteOn(share: number, one: BenchCase): string | undefined {
  const late = one.needsRedis ? 'Redis was' : 'a service was';
  const note = `${late} too late for ${(share * 100).toFixed(1)} % of the requests, which the gateway answered without it`;
  if (share > MAX_FALLBACK_SHARE) throw new Error(`${note}; is the machine busy?`);
  return share > NOTED_FALLBACK_SHARE ? note : undefined;
}

function sumOf(metrics: string, name: string, labels: string): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

async function accessLines({ logFile }: Subject, { routeId }: BenchCase): Promise<number> {
  let count = 0;
  for await (const line of createInterface({ input: createReadStream(logFile) })) {
    if (line.includes(`"route":"${routeId}"`) && line.includes('"status":200')) count += 1;
  }
  return count;
}

function expectAtLeast(what: string, found: number, wanted: number): void {
  if (found < wanted) throw new Error(`${what}: ${found}, expected at least ${wanted}`);
}
