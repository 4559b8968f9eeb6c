/**
 * One round of load by autocannon, in a process of its own: `node bench/autocannon-load.ts OPTIONS_FILE`.
 * Prints the result as JSON.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { LoadOptions, LoadResult } from './load.ts';

interface CannonRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}
interface CannonResult {
  readonly requests: { readonly total: number };
  readonly duration: number;
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly non2xx: number;
  readonly errors: number;
}
type Autocannon = (options: object) => Promise<CannonResult>;

// The package has no types.
const autocannon = createRequire(import.meta.url)('autocannon') as Autocannon;
const { origin, request, tokens, connections, seconds } = JSON.parse(
  readFileSync(process.argv[2] ?? '', 'utf8'),
) as LoadOptions;

let opened = 0;
const result = await autocannon({
  url: origin + request.path,
  connections,
  duration: seconds,
  ...plain(request.headers),
  setupClient: (client: { setRequests(requests: CannonRequest[]): void }) => {
    const mine = tokensOf(opened);
    opened += 1;
    if (mine.length > 0) client.setRequests(mine.map((token) => withToken(token)));
  },
});

const seen: LoadResult = {
  requests: result.requests.total,
  rps: result.requests.total / result.duration,
  p50Ms: result.latency.p50,
  p99Ms: result.latency.p99,
  failures: result.non2xx + result.errors,
};
console.log(JSON.stringify(seen));

function plain(headers: Readonly<Record<string, string>>): CannonRequest {
  const { method, body } = request;
  return body === undefined ? { method, headers } : { method, headers, body };
}

/** The tokens of one connection: its share, or, when there are fewer tokens than connections, one of them. */
function tokensOf(connection: number): string[] {
  if (tokens.length <= connections) return tokens.slice(connection % tokens.length).slice(0, 1);
  return tokens.filter((_, index) => index % connections === connection % connections);
}

function withToken(token: string): CannonRequest {
  return plain({ ...request.headers, authorization: `Bearer ${token}` });
}
