import type { Exchange } from '../exchange/exchange.ts';
import type { Ending } from '../traffic/traffic.ts';

const LEAST_FAULT = 500;
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
