import { Problem } from '../../problems/problem.ts';
import type { ProblemCode } from '../../problems/catalogue.ts';
import type { AttemptFault } from '../call-run.ts';
import { OPERATORS_PLACE } from '../transport/operators-places.ts';
import { NoFreeConnection, noFreeConnection } from '../transport/no-free-connection.ts';

/** What went wrong with an attempt before an answer began. */
export interface HttpFault {
  /** The problem that the client sees when no other attempt is made. */
  readonly code: ProblemCode;
  /** The word for the access line and the metrics. */
  readonly outcome: string;
  /** What `retry.on` calls it; undefined for what is never tried again. */
  readonly retry: 'connect' | 'reset' | 'timeout' | 'queue' | undefined;
  /** Whether it was the connection that failed, so that the same target may be asked again. */
  readonly isConnection: boolean;
  /** Whether nothing was sent, and nothing of the body was read. */
  readonly untouched?: true;
  /** Whether it says nothing about the target. */
  readonly isNeutral?: true;
}

const UNREACHABLE = connectionFault('upstream-unreachable', 'unreachable', 'connect');
const RESET = connectionFault('upstream-unreachable', 'reset', 'reset');
/**
 * The target had ended its side when we wrote on, as one does that refuses an upload before it has read it: its answer is
 * lost. Any client can bring that about, so that it says nothing about the target.
 */
const ENDED_BEFORE: HttpFault = { ...RESET, isNeutral: true };
const CONNECT_TIMEOUT = connectionFault('upstream-timeout', 'connect-timeout', 'connect');
const TIMEOUT: HttpFault = {
  code: 'upstream-timeout',
  outcome: 'timeout',
  retry: 'timeout',
  isConnection: false,
};
/** Whoever has waited for a connection in vain says nothing about the target. */
const NO_CONNECTION: HttpFault = {
  code: 'no-available-target',
  outcome: 'no-connection',
  retry: 'queue',
  isConnection: false,
  untouched: true,
  isNeutral: true,
};
const INVALID: HttpFault = {
  code: 'upstream-response-invalid',
  outcome: 'invalid',
  // No head that can be read is no more of an answer than none.
  retry: 'reset',
  isConnection: false,
};

function connectionFault(code: ProblemCode, outcome: string, retry: 'connect' | 'reset'): HttpFault {
  return { code, outcome, retry, isConnection: true };
}

/** Error codes of Node and of our clients, and what they mean for the exchange. */
const FAULTS: Readonly<Record<string, HttpFault>> = {
  ECONNREFUSED: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ENOTFOUND: UNREACHABLE,
  EAI_AGAIN: UNREACHABLE,
  EADDRNOTAVAIL: UNREACHABLE,
  [OPERATORS_PLACE]: UNREACHABLE,
  ECONNRESET: RESET,
  EPIPE: ENDED_BEFORE,
  CONNECTION_ENDED: RESET,
  MALFORMED_ANSWER: INVALID,
  SILENT_SERVICE: TIMEOUT,
  ETIMEDOUT: CONNECT_TIMEOUT,
};

const FIRST_FAILURE_STATUS = 500;
/** What the client asked for is not there, which another target would say as well. */
const NOT_IMPLEMENTED = 501;

/** Whether an answer with that status speaks against the target that gave it. */
export function speaksAgainst(status: number): boolean {
  return status >= FIRST_FAILURE_STATUS && status !== NOT_IMPLEMENTED;
}

/** Says what an error of an attempt means. An upstream's fault is never our 500. */
export function httpFault(error: unknown): HttpFault {
  if (error instanceof NoFreeConnection) return NO_CONNECTION;
  const { code } = (error ?? {}) as { code?: unknown };
  return (typeof code === 'string' ? FAULTS[code] : undefined) ?? UNREACHABLE;
}

/** The problem that the client sees for a fault; the error itself is only logged. */
export function faultProblem(fault: HttpFault, cause: unknown): Problem {
  return cause instanceof NoFreeConnection ? noFreeConnection(cause) : new Problem(fault.code, { cause });
}

/** What a fault says about the target. */
export function verdictOf({ isNeutral }: HttpFault): 'neutral' | 'failure' {
  return isNeutral === true ? 'neutral' : 'failure';
}

/**
 * How an attempt of a call ends that broke.
 *
 * @param isAnswering whether its answer had begun: that has met the service, and only another one may be asked.
 */
export function brokenCall(error: unknown, isAnswering: boolean): AttemptFault {
  const { isNeutral, ...fault } = httpFault(error);
  const isConnection = fault.isConnection && !isAnswering;
  return { ...fault, isConnection, failure: isNeutral !== true, ...(isNeutral && { neutral: isNeutral }) };
}
