import { status } from '@grpc/grpc-js';
import type { ProblemCode } from '../../problems/catalogue.ts';
import type { AttemptFault } from '../call-run.ts';
import type { RetryCause } from '../retry-policy.ts';

/** What is known of a call that did not end with OK. */
export interface GrpcEnd {
  readonly code: status;
  readonly details: string;
  /** `false` when the target has certainly not begun with it; absent where only the details tell. */
  readonly wasProcessed?: boolean;
  /** Whether it was the connection that failed, before an answer began; absent where only the details tell. */
  readonly isConnection?: boolean;
  /** The typed details (google/rpc/status.proto) in base64, as they came. */
  readonly typed?: string | undefined;
}

/** The end of a call that is no fault of a connection; the cause of the problem that it became. */
export class RefusedCall extends Error {
  readonly code: status;
  /** See {@link GrpcEnd.typed}. */
  readonly typed: string | undefined;

  constructor({ code, details, typed }: GrpcEnd) {
    super(`${status[code] ?? code}: ${details}`);
    this.code = code;
    this.typed = typed;
  }
}

/** What a status means for the caller and for the target. */
interface StatusMeaning {
  readonly code: ProblemCode;
  /** Speaks against the target; what a caller can cause by a bad request never does. */
  readonly failure?: true;
}

/**
 * Every gRPC status and the problem that it becomes (google/rpc/code.proto). The text that comes with a status
 * stays inside: it is written for the service's own developers and may name anything. A fault of an upstream
 * is never our 500, and its UNAUTHENTICATED never our 401: the credential it refused is the gateway's.
 */
const MEANINGS: Readonly<Record<Exclude<status, status.OK>, StatusMeaning>> = {
  // A cancellation of ours has ended the run before its status arrives; this one is the upstream's.
  [status.CANCELLED]: { code: 'upstream-unreachable' },
  [status.UNKNOWN]: { code: 'upstream-rejected', failure: true },
  [status.INVALID_ARGUMENT]: { code: 'request-invalid' },
  [status.DEADLINE_EXCEEDED]: { code: 'upstream-timeout', failure: true },
  [status.NOT_FOUND]: { code: 'resource-not-found' },
  [status.ALREADY_EXISTS]: { code: 'conflict' },
  [status.PERMISSION_DENIED]: { code: 'permission-denied' },
  [status.RESOURCE_EXHAUSTED]: { code: 'upstream-exhausted' },
  [status.FAILED_PRECONDITION]: { code: 'request-invalid' },
  [status.ABORTED]: { code: 'conflict' },
  [status.OUT_OF_RANGE]: { code: 'request-invalid' },
  [status.UNIMPLEMENTED]: { code: 'not-implemented' },
  [status.INTERNAL]: { code: 'upstream-rejected', failure: true },
  [status.UNAVAILABLE]: { code: 'upstream-unreachable', failure: true },
  [status.DATA_LOSS]: { code: 'upstream-response-invalid', failure: true },
  [status.UNAUTHENTICATED]: { code: 'upstream-rejected' },
};

/** How grpc-js words an UNAVAILABLE of its own when there is no connection. */
const NO_CONNECTION = ['No connection established', 'Name resolution failed'];

/** How it words one whose request has certainly not been processed. */
const NEVER_PROCESSED = [...NO_CONNECTION, 'Stream refused by server'];

/** How grpc-js words the RESOURCE_EXHAUSTED of its own for an answer above `grpc.max_receive_message_length`. */
const TOO_LARGE = 'Received message larger than max';

/** An answer that is not the message it should be. */
export const GARBLED: AttemptFault = {
  code: 'upstream-response-invalid',
  outcome: 'invalid',
  failure: true,
  retry: undefined,
};

/**
 * Says what the end of a call means.
 *
 * @param timeoutCode whose budget has run out, when one has.
 */
export function grpcFault(end: GrpcEnd, timeoutCode: ProblemCode): AttemptFault {
  const known = end.code in MEANINGS && end.code !== status.OK ? end.code : status.UNKNOWN;
  const { code, failure = false } = MEANINGS[known];
  if (known === status.RESOURCE_EXHAUSTED && end.details.startsWith(TOO_LARGE)) return GARBLED;
  const untouched = known === status.UNAVAILABLE && wasNeverProcessed(end);
  return {
    code: known === status.DEADLINE_EXCEEDED ? timeoutCode : code,
    outcome: status[known],
    failure,
    retry: untouched ? 'connect' : (status[known] as RetryCause),
    untouched,
    isConnection: end.isConnection ?? beginsWith(end, NO_CONNECTION),
  };
}

function wasNeverProcessed(end: GrpcEnd): boolean {
  return end.wasProcessed === false || beginsWith(end, NEVER_PROCESSED);
}

function beginsWith({ details }: GrpcEnd, beginnings: readonly string[]): boolean {
  return beginnings.some((beginning) => details.startsWith(beginning));
}
