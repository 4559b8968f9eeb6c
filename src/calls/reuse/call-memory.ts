import type { Exchange } from '../../exchange/exchange.ts';
import type { CallLog } from '../call-log.ts';
import type { SharedRun } from './shared-run.ts';

/** Runs that one exchange started: how many are under way, and who comes next. */
export interface Lane {
  running: number;
  readonly queue: (() => void)[];
}

/**
 * What the calls of one origin know of each other: those of an exchange, or all public ones of a call. It lives
 * as long as its owner. Every map is keyed by the layer that writes it, which alone knows the types inside.
 */
export class CallMemory {
  /** What calls have brought or are about to bring, by key. */
  readonly runs = new Map<object, Map<string, SharedRun<unknown>>>();
  /** Calls that wait for the end of the turn, by group. */
  readonly waiting = new Map<object, Map<string, unknown[]>>();
  readonly lanes = new Map<object, Lane>();
  /** What the calls of the exchange did; undefined while nobody wants to know. */
  log: CallLog | undefined = undefined;
}

/** The memory of an exchange; made for the first call that needs one. */
export function memoryOf(exchange: Exchange): CallMemory {
  const known = exchange.callMemory;
  if (known instanceof CallMemory) return known;
  const memory = new CallMemory();
  exchange.callMemory = memory;
  return memory;
}

/** Forgets what was read in an exchange: it has changed something, or begins anew. */
export function forgetRuns(exchange: Exchange): void {
  if (exchange.callMemory instanceof CallMemory) exchange.callMemory.runs.clear();
}

/** Keeps a log of the calls of an exchange from now on. */
export function followCalls(exchange: Exchange, log: CallLog): void {
  memoryOf(exchange).log = log;
}

/** The log that somebody keeps of the calls of an exchange. */
export function logOf({ callMemory }: Exchange): CallLog | undefined {
  return callMemory instanceof CallMemory ? callMemory.log : undefined;
}
