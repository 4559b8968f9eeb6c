import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from './principal.ts';
import { Problem } from '../problems/problem.ts';
import { certificateOf, type ClientCertificate } from './client-connection.ts';
import type { HeaderEdits } from '../policies/transform/header-edits.ts';
import type { TargetEdits } from '../policies/transform/target-edits.ts';
import type { AnswerStore } from '../policies/cache/answer-store.ts';
import type { Recording } from '../policies/cache/recording.ts';
import type { QuotaCount } from '../policies/quota/quota-count.ts';
import type { ResponseHead } from '../policies/stage.ts';
import type { Route } from '../routing/route.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { TraceContext } from '../telemetry/trace-context.ts';
import type { Answer } from './answer.ts';
import type { AnswerKeeper } from './answer-keeper.ts';
import type {
  AddressDoubt,
  Attempt,
  DegradedPart,
  LimitDecision,
  SocketFacts,
  TrafficSide,
  VouchedFields,
} from './exchange-facts.ts';
import type { OpenExchanges } from './open-exchanges.ts';
import { finishHead, type HeadKind } from './response-head.ts';
import type { Timings } from './timings.ts';
import type { Subset } from './subset.ts';

export type { Answer } from './answer.ts';
export type * from './exchange-facts.ts';

/** What the edge of the server knows when a request arrives; written by the open stage. */
export interface ExchangeOpening {
  readonly id: string;
  readonly trace: TraceContext;
  readonly clientAddress: string;
  /** Why that address is not sure. Default: it is. */
  readonly addressDoubt?: AddressDoubt | undefined;
  readonly scheme: 'http' | 'https';
  /** Lower-case host without port. */
  readonly host: string;
  /** Normalized path, starting with a slash, without the query. */
  readonly path: string;
  /** Raw query with its leading `?`, or the empty string. */
  readonly query: string;
  /** What is said of the method of the request; default the method itself. */
  readonly method?: string | undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The configuration that was in force when it began. Default: what is in force whenever somebody looks. */
  readonly snapshot?: Snapshot | undefined;
}

/**
 * One request, its response, and what we learned in between. Every field has one writer, named beside it;
 * later stages read and never recompute. All fields are initialized so that the shape stays monomorphic.
 */
export class Exchange {
  // open
  readonly id: string;
  readonly startedAt = performance.now();
  readonly trace: TraceContext;
  readonly clientAddress: string;
  readonly addressDoubt: AddressDoubt | undefined;
  readonly scheme: 'http' | 'https';
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly snapshot: Snapshot | undefined;
  /** The stored answers of this URI that its success makes invalid, for a request that may change something. */
  outdates: AnswerStore | undefined = undefined;

  /** The routes that may take what a preflight asks leave for, which the gateway answers; absent for other requests. */
  preflighted: readonly Route[] | undefined = undefined;

  // match
  route: Route | undefined = undefined;
  /** Values of the path parameters, in the order of the pattern; percent-encoded as they came. */
  params: readonly string[] = NO_PARAMS;

  // identify
  principal: Principal | undefined = undefined;
  /** The list of those that end when their caller is revoked, and its links. */
  listedIn: OpenExchanges | undefined = undefined;
  previousOpen: Exchange | undefined = undefined;
  nextOpen: Exchange | undefined = undefined;
  /** Whether whoever answers ends it when its credential expires: a socket, or a stream that says goodbye. */
  endsItself = false;

  // ask
  /** What somebody outside has said of it for the service behind; the client cannot say these fields. */
  vouched: VouchedFields | undefined = undefined;

  // authorize
  /** What would have refused it, if that were in force; in names of the configuration. */
  shadowDenied: string | undefined = undefined;
  /** What a stage has denied with an answer that is no problem, such as that of whoever was asked outside. */
  denied: Problem | undefined = undefined;

  // limit
  limit: LimitDecision | undefined = undefined;

  // quota
  /** What was counted of each quota; undefined for those that nobody counts. */
  quotas: readonly (QuotaCount | undefined)[] | undefined = undefined;

  // deadline: on the clock of `performance.now()`
  deadlineAt = Infinity;

  // transform, on the way in
  headerEdits: HeaderEdits | undefined = undefined;
  /** What else is edited for targets with certain labels. */
  targetEdits: TargetEdits | undefined = undefined;

  // idempotency
  /** Who keeps its answer for the client to ask for again. */
  keeper: AnswerKeeper | undefined = undefined;

  // cache
  /** What the cache stage wants to keep of the answer. */
  recording: Recording | undefined = undefined;
  /** The fields that ask the upstream whether what is stored still holds, in place of the client's own. */
  validators: readonly string[] | undefined = undefined;
  /** The fields of the 304 by which the upstream has confirmed the stored answer that it is answered with. */
  confirmedBy: readonly string[] | undefined = undefined;
  /** The stored answer that it has answered with. */
  cached: Answer | undefined = undefined;
  /** Whether it is answered as an earlier one was, whose answer stages have edited already; by idempotency as well. */
  isReplayed = false;

  // admit
  /** Whether the stages that come before the body have let it pass; only at the code-first door. */
  admitted = false;
  /** What is answered in place of its handler, once the handler's own guards have let it pass. */
  awaited: Answer | undefined = undefined;
  /** What Fastify has made of its body; only at the code-first door. */
  parsedBody: unknown = undefined;

  // validate
  /** The whole body, if it was read to be checked: whoever sends it on takes it from here. */
  heldBody: Buffer | undefined = undefined;

  // handle
  /**
   * What the calls of this exchange remember of each other; only the room of the clients looks inside. A field,
   * because a `WeakMap` keyed by exchanges makes the collector of garbage the dearest part of a call.
   */
  callMemory: object | undefined = undefined;

  // break
  /** The state of the handler's breaker that admitted the exchange. */
  breaker: 'closed' | 'half-open' | undefined = undefined;

  // balance and forward
  /** Which targets it may go to, in place of those that the route or the upstream says. */
  subset: Subset | undefined = undefined;
  /** Which side of the canary of its route it is on; undefined for a route without one. */
  side: TrafficSide | undefined = undefined;
  /** Name of the upstream that was asked, or of all of them, comma-separated, for a composed answer. */
  upstream: string | undefined = undefined;
  readonly attempts: Attempt[] = [];
  /** Labels of the target that was asked last. */
  targetLabels: Readonly<Record<string, string>> | undefined = undefined;

  // compose
  /** What is not as it should be in a composed answer. */
  degraded: readonly DegradedPart[] = NO_DEGRADED;

  // forward, of a WebSocket
  /** What went over it, and how it ended; once it has. */
  socket: SocketFacts | undefined = undefined;

  // problem
  problem: Problem | undefined = undefined;
  /** What a stage threw at the head of a problem, which went out without its edit; only logged. */
  headFault: unknown = undefined;

  /** The name of the status that a call of gRPC ended with; its HTTP status is always 200. */
  grpcStatus: string | undefined = undefined;

  /** Where its time goes; undefined where nobody may see it. */
  timings: Timings | undefined = undefined;

  /** The head of its answer, once that is finished; without what a handler has said by itself. */
  answerHead: ResponseHead | undefined = undefined;

  // close
  status = 0;
  bytesOut = 0;

  /** Header fields that stages add to whatever is answered: a flat list of names and values. */
  readonly responseHeaders: string[] = [];

  /** Set once the client went away or the deadline passed; the reason tells which. */
  cancelled: Problem | undefined = undefined;
  #closeListeners: ((exchange: Exchange) => void)[] | undefined = undefined;
  #isClosed = false;
  #cancelListeners: ((reason: Problem) => void)[] | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  constructor(opening: ExchangeOpening) {
    this.id = opening.id;
    this.trace = opening.trace;
    this.clientAddress = opening.clientAddress;
    this.addressDoubt = opening.addressDoubt;
    this.scheme = opening.scheme;
    this.method = opening.method ?? opening.request.method ?? 'GET';
    this.host = opening.host;
    this.path = opening.path;
    this.query = opening.query;
    this.request = opening.request;
    this.response = opening.response;
    this.snapshot = opening.snapshot;
  }

  /** The certificate that the client has proved to be its own; undefined for none. */
  get clientCertificate(): ClientCertificate | undefined {
    return certificateOf(this.request);
  }

  /** Finishes the head of what is about to be written, once, see {@link finishHead}. */
  finishHead(head: ResponseHead, kind: HeadKind): void {
    finishHead(this, head, kind);
  }

  /** Time left until the deadline in ms; `Infinity` without one, never below 0. */
  remainingMs(): number {
    return this.deadlineAt === Infinity ? Infinity : Math.max(0, this.deadlineAt - performance.now());
  }

  /** Ends everything that is under way for this exchange. Only the first reason counts. */
  cancel(reason: Problem): void {
    if (this.cancelled !== undefined) return;
    this.cancelled = reason;
    const listeners = this.#cancelListeners;
    this.#cancelListeners = undefined;
    if (listeners !== undefined) for (const listener of listeners) listener(reason);
    this.#controller?.abort(reason);
  }

  /** Calls back once when the exchange closes: its answer is out, or the client is gone; at once if it has closed. */
  onClosed(listener: (exchange: Exchange) => void): void {
    // A stage that has waited may come late: what it takes then would never be given back.
    if (this.#isClosed) listener(this);
    else (this.#closeListeners ??= []).push(listener);
  }

  /** Tells those who wait for the end, and the audit of what was denied; only the close stage calls it. */
  close(): void {
    const listeners = this.#closeListeners;
    this.#closeListeners = undefined;
    this.#isClosed = true;
    this.listedIn?.remove(this);
    // The one place where all denials pass, at every door: whoever denies writes it here, and every exchange closes.
    const ended = this.problem ?? this.denied ?? this.cancelled;
    if (ended !== undefined || this.shadowDenied !== undefined) this.snapshot?.audit?.closed(this);
    if (listeners !== undefined) for (const listener of listeners) listener(this);
  }

  /** Calls back once when the exchange is cancelled; at once if it already was. */
  onCancel(listener: (reason: Problem) => void): void {
    if (this.cancelled !== undefined) listener(this.cancelled);
    else (this.#cancelListeners ??= []).push(listener);
  }

  /** Forgets a listener, when the work that it guarded is done. */
  offCancel(listener: (reason: Problem) => void): void {
    const listeners = this.#cancelListeners;
    if (listeners === undefined) return;
    const index = listeners.lastIndexOf(listener);
    // The usual case is that the last one to come is the first to go; `splice` makes a list of what it removes.
    if (index === listeners.length - 1) listeners.pop();
    else if (index >= 0) listeners.splice(index, 1);
  }

  /** The same cancellation as an `AbortSignal`; made on first use, because most exchanges never need one. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.cancelled !== undefined) this.#controller.abort(this.cancelled);
    }
    return this.#controller.signal;
  }
}

const NO_PARAMS: readonly string[] = Object.freeze([]);
const NO_DEGRADED: readonly DegradedPart[] = Object.freeze([]);
