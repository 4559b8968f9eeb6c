import type { Transform } from 'node:stream';
import type { Answer, Exchange } from '../exchange/exchange.ts';
import { enterStage } from './entered-stage.ts';
import type { ExplainedStage } from './explained-stage.ts';
import type { FieldStage } from './field-decision.ts';
import type { IncomingEdit } from './incoming-edit.ts';
import type { LineStage } from './line-stage.ts';
import type { SpendingStage } from './spending.ts';

/** Status and header fields of an answer on its way to the client; stages edit it in place. */
export interface ResponseHead {
  status: number;
  /** Flat list: name, value, name, value. Names keep the upstream's spelling. */
  headers: string[];
}

/** What comes of entering a stage: it passes, or answers in place of whoever would have. */
export type Entered = undefined | Answer;

/**
 * One policy of one route, ready to run. It passes, answers, or throws one problem.
 * Every method may be absent: what a route does not need costs nothing.
 */
export interface Stage extends ExplainedStage, FieldStage, LineStage, SpendingStage {
  /** Runs on the way in. Answers synchronously when it can; a promise costs a turn of the loop. */
  readonly enter?: ((exchange: Exchange) => void | Answer | Promise<void | Answer>) | undefined;
  /** Charges a message that a client says over a socket that is forwarded; throws what speaks against it. */
  readonly message?: ((exchange: Exchange) => void | Promise<void>) | undefined;
  /** Edits status and headers of what is about to be sent; once for each head. What it throws makes a problem of an answer. */
  readonly head?: ((exchange: Exchange, head: ResponseHead) => void) | undefined;
  /**
   * Whose heads it edits: `answers` of the route, whatever their status, event streams too; or `all`, which adds the
   * gateway's own problems and the 101 of a handshake. Default `answers`.
   */
  readonly heads?: 'answers' | 'all' | undefined;
  /** Whether its edits of a head have nothing to do with fields that come earlier or later: early hints, trailers. */
  readonly onlyAdds?: boolean;
  /**
   * Edits the JSON value of the answer on the way out; its presence makes the proxy buffer bodies. Returns the value that it
   * was given, the very same, for nothing to change.
   *
   * @param status of the answer; absent for 200.
   */
  readonly body?: ((exchange: Exchange, value: unknown, status?: number) => unknown) | undefined;
  /**
   * Which bodies of services it has to see: `all` that may be JSON, whatever they are said to be, and none is sent that
   * cannot be read; or only those that are said to be `json`. Default `all`, because it fails closed.
   */
  readonly bodies?: 'all' | 'json' | undefined;
  /** What becomes of one of the latter that cannot be read, or is larger than it may: none is sent, or as it is. Default `fail`. */
  readonly onBodyFault?: 'fail' | 'pass' | undefined;
  /** Whether it looks at the whole text of the request's body, which `exchange.heldBody` has for it at a handler. */
  readonly holdsBody?: boolean | undefined;
  /** Edits the JSON value of the request's body on the way in. */
  readonly incoming?: IncomingEdit | undefined;
  /**
   * Makes what edits the bytes of the answer on the way out, such as a compressor, and edits the head for it, which all
   * stages have finished. Undefined: they stay as they are. Never asked for streams of events of handlers and of GraphQL.
   */
  readonly stream?: ((exchange: Exchange, head: ResponseHead) => Transform | undefined) | undefined;
  /** Largest body that is buffered for `body`, in bytes; decoded too. */
  readonly maxBodyBytes?: number | undefined;
  /**
   * Answers the preflight of a browser (Fetch standard, section 3.3.2) for the route that takes what the page has in mind.
   * Its presence has a preflight enter the stages that come before identity, this one in place of `enter`.
   */
  readonly preflight?: (exchange: Exchange) => Answer;
  /** Whether the page that a request comes from is one that the route is meant for, though it is of another origin. */
  readonly welcomes?: (exchange: Exchange) => boolean;
  /** An answer that may stand in while the upstream fails. */
  readonly standIn?: (exchange: Exchange) => Answer | undefined;
  /** Ends what the stage owns, such as timers. */
  readonly close?: () => void;
}

/**
 * Enters stages in order from `index` on; synchronous until the first stage that needs to wait. The first answer ends the
 * walk; undefined when all of them passed.
 */
export function enterStages(
  stages: readonly Stage[],
  exchange: Exchange,
  index = 0,
): Entered | Promise<Entered> {
  for (let i = index; i < stages.length; i += 1) {
    const stage = stages[i];
    const entered = enterStage(stage, exchange);
    if (entered === undefined) continue;
    if (!(entered instanceof Promise)) return entered;
    return entered.then((answer) => answer ?? enterStages(stages, exchange, i + 1));
  }
  return exchange.keeper?.begin() as Promise<undefined> | undefined;
}
