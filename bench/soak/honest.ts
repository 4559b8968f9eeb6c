/**
 * Honest load at a fixed rate, until SIGTERM. A request is timed from the moment at which it was due, so that a stall
 * counts for everybody who would have come during it. Prints a line of JSON every ten seconds, and at the end one of what
 * was due between two SIGUSR2: while the attackers were there.
 *
 * @module
 */
import { createHistogram } from 'node:perf_hooks';
import { Agent, request as startRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What clients saw in a time. */
export interface Seen {
  readonly requests: number;
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** What went wrong, and how often. */
  readonly faults: Readonly<Record<string, number>>;
}

const EVERY_MS = 10;
const WINDOW_MS = 10_000;
const GIVE_UP_MS = 20_000;
const REST_MS = 30_000;

const port = Number(process.env['PORT']);
const tokens = JSON.parse(process.env['TOKENS'] ?? '[]') as string[];
// A connection at rest is given up well before the gateway does so, as clients do that know how long it waits: a request
// that meets the end of its connection is nobody's fault.
const agent = new Agent({ keepAlive: true, maxSockets: 64, timeout: REST_MS });

const JSON_TYPE = { 'content-type': 'application/json' };
const QUERY = '{ homepage { user { name } feed { items { title } } notifications { unread } } }';
const ORDER = JSON.stringify({ items: [{ sku: 'BOOK-1', quantity: 1 }] });

/** People of the sample data, whose homepage there is. */
const PEOPLE = 6;

/** Every door in turn: proxied, cached, translated, aggregated, controllers, GraphQL. */
const ASKED: readonly {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly status: number;
  readonly callers?: number;
}[] = [
  { method: 'GET', path: '/api/v2/users/1', status: 200 },
  { method: 'GET', path: '/api/v3/users/2', status: 200 },
  { method: 'GET', path: '/api/v3/orders/ord-1001', status: 200 },
  { method: 'GET', path: '/api/v2/profile/1', status: 200 },
  { method: 'GET', path: '/api/v1/orders/ord-1001', status: 200 },
  { method: 'POST', path: '/api/v1/orders', body: ORDER, status: 201 },
  { method: 'GET', path: '/api/homepage', status: 200, callers: PEOPLE },
  { method: 'POST', path: '/graphql', body: JSON.stringify({ query: QUERY }), status: 200, callers: PEOPLE },
];

/** Latencies and faults since it was made. */
class Window {
  readonly #times = createHistogram();
  readonly #faults: Record<string, number> = {};
  #failures = 0;

  add(ms: number, fault: string | undefined): void {
    this.#times.record(Math.max(1, Math.round(ms * 1000)));
    if (fault === undefined) return;
    this.#failures += 1;
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1;
  }

  seen(): Seen {
    const ms = (us: number): number => us / 1000;
    return {
      requests: this.#times.count,
      failures: this.#failures,
      p50Ms: ms(this.#times.percentile(50)),
      p99Ms: ms(this.#times.percentile(99)),
      maxMs: ms(this.#times.max),
      faults: this.#faults,
    };
  }
}

function ask(turn: number): Promise<string | undefined> {
  const asked = ASKED[turn % ASKED.length];
  if (asked === undefined) throw new Error('nothing to ask');
  const { method, path, body, status, callers = tokens.length } = asked;
  const headers = {
    authorization: `Bearer ${tokens[Math.floor(turn / ASKED.length) % callers] ?? ''}`,
    ...(body === undefined ? {} : { ...JSON_TYPE, 'content-length': Buffer.byteLength(body) }),
  };
  return new Promise((resolve) => {
    const request = startRequest({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers,
      agent,
      timeout: GIVE_UP_MS,
    });
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve(faultOf(path, response.statusCode ?? 0, status, text)));
      response.on('error', (error: NodeJS.ErrnoException) => resolve(`${path} cut: ${error.code ?? ''}`));
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', (error: NodeJS.ErrnoException) => resolve(`${path} ${error.code ?? error.message}`));
    request.end(body);
  });
}

function faultOf(path: string, got: number, wanted: number, text: string): string | undefined {
  if (got !== wanted) return `${path} ${got} ${/"code":"([a-z-]+)"/.exec(text)?.[1] ?? ''}`;
  return text.includes('"errors"') || text.includes('"degraded"') ? `${path} degraded` : undefined;
}

let over = false;
let counting = false;
process.on('SIGUSR2', () => (counting = !counting));
process.once('SIGTERM', () => (over = true));
const all = new Window();
let window = new Window();
let windowEndsAt = performance.now() + WINDOW_MS;
const startedAt = performance.now();
const underWay = new Set<Promise<void>>();
for (let turn = 0; !over; turn += 1) {
  const dueAt = startedAt + turn * EVERY_MS;
  const wait = dueAt - performance.now();
  if (wait > 1) await sleep(wait);
  const counts = counting;
  const asking = ask(turn).then((fault) => {
    const ms = performance.now() - dueAt;
    window.add(ms, fault);
    if (counts) all.add(ms, fault);
    underWay.delete(asking);
  });
  underWay.add(asking);
  if (performance.now() < windowEndsAt) continue;
  console.log(JSON.stringify(window.seen()));
  window = new Window();
  windowEndsAt += WINDOW_MS;
}
await Promise.all(underWay);
console.log(JSON.stringify({ ...all.seen(), final: true }));
process.exit(0);
