import type { Exchange } from '../exchange/exchange.ts';
import type { RouteMetrics } from '../telemetry/route-metrics.ts';
import type { SpanNote } from '../telemetry/span-log.ts';
import type { Ending, Traffic } from '../traffic/traffic.ts';
import { accessLineOf } from './access-log.ts';

const LEAST_FAULT = 500;
const CLIENT_CLOSED_STATUS = 499;
/** What says of a call of gRPC that the service has failed, rather than that the request was wrong. */
const GRPC_FAULTS: ReadonlySet<string> = new Set([
  'UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS',
]); // prettier-ignore

/**
 * How an exchange has ended, for operators: refused where the gateway has said no, also for want of capacity; failed where it, or
 * a service, could not do what it should. A client that leaves has brought about neither.
 */
export function endingOf({ problem, denied, status, grpcStatus }: Exchange): Ending {
  if (problem !== undefined) {
    if (problem.code === 'client-closed') return 'well';
    if (problem.isOverload || problem.code === 'shutting-down') return 'refused';
    return problem.status >= LEAST_FAULT ? 'failed' : 'refused';
  }
  if (denied !== undefined) return 'refused';
  if (grpcStatus !== undefined && GRPC_FAULTS.has(grpcStatus)) return 'failed';
  return status >= LEAST_FAULT ? 'failed' : 'well';
}

/** What it is counted under where operators see why: stage and code; undefined where a service has said it. */
export function causeOf({ problem, denied }: Exchange): string | undefined {
  const said = denied ?? problem;
  return said && `${said.entry.stage} ${said.code}`;
}

/** What is known of an exchange that has closed. */
export interface ClosedFacts {
  readonly metrics: RouteMetrics;
  readonly durationMs: number;
  /** What it has done; undefined where nobody took notes. */
  readonly notes: readonly SpanNote[] | undefined;
  readonly complete: boolean;
}

/** Shows an exchange to operators. Of most it counts, and compares their time with that of the slowest. */
export function showExchange(exchange: Exchange, operators: Traffic | undefined, facts: ClosedFacts): void {
  const { metrics, durationMs, notes, complete } = facts;
  const ending = endingOf(exchange);
  const flow = metrics.ended(durationMs, ending, ending === 'well' ? undefined : causeOf(exchange));
  if (operators === undefined) return;
  operators.called(exchange, ending);
  if (ending === 'well' && notes === undefined && durationMs <= flow.slowMs) return;
  const line = (): string => accessLineOf(exchange, durationMs, complete);
  operators.note({ exchange, durationMs, notes, line }, flow, ending);
}

/** What it was answered with, as the log says it. */
export function statusOf({ problem, response }: Exchange): number {
  if (problem?.code === 'client-closed') return CLIENT_CLOSED_STATUS;
  // Cut off by us before anything was said: what would have been said.
  return problem?.code === 'shutting-down' && !response.headersSent ? problem.status : response.statusCode;
}
