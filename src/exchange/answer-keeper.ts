import type { Problem } from '../problems/problem.ts';
import type { Exchange } from './exchange.ts';

/** How an operation of GraphQL has ended, whose answer says so in a form of its own. */
export interface OperationEnd {
  /** Whether it was run at all. */
  readonly wasRun: boolean;
  /** Whether it may have changed something. */
  readonly changes: boolean;
  /** The faults that the answer tells; none where it shows something that was changed. */
  readonly faults: readonly Problem[];
}

/**
 * Who keeps the answer of an exchange, and has to have it before the client has its last byte. Written by a stage; the doors
 * tell it what becomes of the request.
 */
export interface AnswerKeeper {
  /** Whether the client has left while the answer is still waited for. */
  readonly isAlone: boolean;
  /** Whether a request that a service may have run may be sent to it again. */
  readonly mayRunAgain: boolean;
  /**
   * All stages have let the request pass: from now on somebody works on it. Undefined where nothing is to be waited for.
   *
   * @throws {Problem} when nobody may.
   */
  begin(): Promise<void> | undefined;
  /** Takes the head of the answer, before stages have added what belongs to this exchange only. */
  head(status: number, headers: readonly string[]): void;
  /** Takes a piece of its body, which is the keeper's from now on. */
  piece(chunk: Buffer): void;
  /** Takes the fields that come after the body (a flat list), before its end. */
  trailers(fields: readonly string[]): void;
  /** Takes how the operation has ended that the answer is about, before its head. */
  operation(end: OperationEnd): void;
  /** All of the answer is there; its last byte waits. Never rejects. */
  ended(): Promise<void> | undefined;
  /** A problem is about to be answered. Never rejects. */
  refused(problem: Problem): Promise<void> | undefined;
  /**
   * Whether the work goes on although the client has left.
   *
   * @param end called once it is done, if it goes on.
   */
  outlives(end: () => void): boolean;
}

/**
 * Ends an exchange whose response is closed: at once, or as soon as the answer is there that is kept for the client to ask
 * for again, or that others wait for and nothing of which was said to who has left.
 *
 * @param isCutOff whether the gateway itself has ended it, and waits for nobody.
 */
export function endWhenKept(
  { keeper, recording, response }: Exchange,
  isCutOff: boolean,
  end: () => void,
): void {
  if (isCutOff || response.writableFinished) return end();
  if (keeper?.outlives(end) === true) return;
  if (response.headersSent || recording?.outlives(end) !== true) end();
}
