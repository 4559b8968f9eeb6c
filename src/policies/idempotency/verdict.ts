import type { OperationEnd } from '../../exchange/answer-keeper.ts';
import type { Attempt } from '../../exchange/exchange-facts.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Problem } from '../../problems/problem.ts';

/** What becomes of the record of a request that was refused. */
export type Verdict = 'released' | 'lost' | 'kept';

/** Outcomes of attempts that have not reached the service. */
const UNTOUCHED: ReadonlySet<string> = new Set([
  'no-connection',
  'connect-timeout',
  'not-sent',
  'unreachable',
]);
/** What operating systems say to who has not connected, and our own word for it. */
const NOT_CONNECTED: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'EOPERATORS',
]); // prettier-ignore

const REQUEST_TIMEOUT = 408;
const BAD_GATEWAY = 502;
const UNAVAILABLE = 503;
const GATEWAY_TIMEOUT = 504;
const FIRST_FAULT = 500;
/** Never kept where the gateway itself says them: they are about the caller at this moment. */
const OF_THE_MOMENT: ReadonlySet<number> = new Set([401, 403, 429]);

/**
 * Says what a problem means for a key: nothing was run (`released`), so that it may be sent again; the service has said no,
 * and would say the same again (`kept`); or something may have been run, and nobody knows how that ended (`lost`), which is
 * what is taken for granted where in doubt.
 *
 * @param isBegun whether all stages had let it pass.
 * @param retryable statuses by which a service says that it has done nothing.
 */
export function verdictOf(
  exchange: Exchange,
  problem: Problem,
  isBegun: boolean,
  retryable: ReadonlySet<number>,
): Verdict {
  if (!isBegun) return 'released';
  const { status, code } = problem;
  const isHandler = exchange.route?.door === 'handler';
  if (!isTouched(exchange, problem) && (!isHandler || saysNothingDone(exchange, problem))) return 'released';
  if (status >= FIRST_FAULT || status === REQUEST_TIMEOUT || code === 'client-closed') return 'lost';
  if (!retryable.has(status) && (isHandler || !OF_THE_MOMENT.has(status))) return 'kept';
  return isHandler && hasDoneMore(exchange) ? 'lost' : 'released';
}

/**
 * The same for an operation of GraphQL, of the faults that its answer tells. What was not run, or only reads, may be run again as
 * soon as one of them may pass; what may have changed something only where each of them says that nothing was done.
 */
export function verdictOfOperation(
  exchange: Exchange,
  { wasRun, changes, faults }: OperationEnd,
  retryable: ReadonlySet<number>,
): Verdict {
  if (!wasRun) return 'released';
  const verdicts = faults.map((fault) => verdictOf(exchange, fault, true, retryable));
  const passing = verdicts.filter((one) => one !== 'kept');
  if (passing.length === 0) return 'kept';
  return changes && passing.includes('lost') ? 'lost' : 'released';
}

// A handler can do more than call services; what it cannot do is say 503 of itself, or 502 and 504 of calls that reached nobody.
function saysNothingDone({ attempts }: Exchange, { code, status }: Problem): boolean {
  if (code === 'request-invalid' || status === UNAVAILABLE) return true;
  return attempts.length > 0 && (status === BAD_GATEWAY || status === GATEWAY_TIMEOUT);
}

/** Whether a service may have seen it. */
function isTouched({ attempts }: Exchange, problem: Problem): boolean {
  const last = attempts.at(-1);
  if (last === undefined) return false;
  // The word stands for faults that nobody knows as well.
  if (last.outcome === 'unreachable' && !NOT_CONNECTED.has(causeCodeOf(problem))) return true;
  return attempts.some(isReached);
}

function isReached({ outcome, untouched }: Attempt): boolean {
  return untouched !== true && !UNTOUCHED.has(outcome);
}

/** Whether some service has answered otherwise than by the refusal: of several calls one may have done something. */
function hasDoneMore({ attempts }: Exchange): boolean {
  const reached = attempts.filter(isReached);
  return reached.some(({ outcome }) => outcome !== reached.at(-1)?.outcome);
}

function causeCodeOf({ cause }: Problem): unknown {
  return (cause as { readonly code?: unknown } | undefined)?.code;
}
