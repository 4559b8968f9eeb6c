/** What a gateway's metrics say about upstreams. */
export interface UpstreamCalls {
  /** Attempts at targets, retries included. */
  readonly all: number;
  /** Those that were not answered, or with an error, though the client was still there. */
  readonly failed: number;
}

const ATTEMPTS = 'gatehouse_upstream_attempts_total';
/** Of the client, or of the load tool that ends a round; says nothing about an upstream. */
const CLIENT_GONE = 'outcome="client-closed"';

/** Reads the metrics of a gateway, in the text format of Prometheus. */
export async function readMetrics(adminOrigin: string): Promise<string> {
  return (await fetch(`${adminOrigin}/metrics`)).text();
}

/** The sum of all series of a metric whose labels contain a text. */
export function sumOf(metrics: string, name: string, labels = ''): number {
  return metrics
    .split('\n')
    .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** Counts the calls to upstreams, over HTTP and gRPC. */
export function upstreamCallsOf(metrics: string): UpstreamCalls {
  const all = sumOf(metrics, ATTEMPTS);
  const fine = ['outcome="200"', 'outcome="OK"', CLIENT_GONE].map((label) => sumOf(metrics, ATTEMPTS, label));
  return { all, failed: fine.reduce((left, count) => left - count, all) };
}

/** Counts the requests of a route, whatever came of them. */
export function requestsOf(metrics: string, routeId: string): number {
  return sumOf(metrics, 'gatehouse_request_duration_seconds_count', `route="${routeId}"`);
}
