import type { Exchange } from '../exchange/exchange.ts';
import type { AttemptFacts, SpanLog, SpanNote } from '../telemetry/span-log.ts';
import { isSampled, randomHex } from '../telemetry/trace-context.ts';
import type { Target } from './target.ts';
import type { Upstream } from './upstream.ts';

const SPAN_DIGITS = 16;
/** What says that a call of gRPC did well. */
const OK = 'OK';
/** What says that an answer of HTTP has begun, whatever becomes of it. */
const STATUS = /^[1-5]\d\d$/;

/**
 * What is noted for spans of the attempts of one request at one upstream. Over gRPC the attempts are parts of one call; over
 * HTTP each stands for itself, as the semantic conventions want it.
 */
export class AttemptTrace {
  readonly #exchange: Exchange;
  readonly #log: SpanLog;
  readonly #upstream: Upstream;
  readonly #parent: SpanNote | undefined;
  #call: SpanNote | undefined;
  #attempt: SpanNote | undefined = undefined;

  /** @param beside whose attempts these stand beside, so that they are parts of the same call. */
  constructor(
    exchange: Exchange,
    log: SpanLog,
    upstream: Upstream,
    parent?: SpanNote,
    beside?: AttemptTrace,
  ) {
    this.#exchange = exchange;
    this.#log = log;
    this.#upstream = upstream;
    this.#parent = parent;
    this.#call = beside === undefined ? undefined : beside.#call;
  }

  /** What stands beside it. */
  beside(): AttemptTrace {
    return new AttemptTrace(this.#exchange, this.#log, this.#upstream, this.#parent, this);
  }

  /** Takes note that an attempt begins. @param resends how many there were before it. */
  begin({ address, secure }: Target, resends: number, isHedge: boolean): void {
    const { name, options } = this.#upstream;
    const protocol = options.protocol === 'grpc' ? 'grpc' : 'http';
    const facts: AttemptFacts = {
      upstream: name,
      target: address,
      protocol,
      scheme: secure ? 'https' : 'http',
      resends,
      isHedge,
      method: '',
      path: '',
      status: '',
    };
    if (protocol === 'grpc') this.#call ??= this.#log.begin('rpc', name, this.#parent, { ...facts });
    this.#attempt = this.#log.begin('attempt', name, this.#call ?? this.#parent, facts);
  }

  /** Takes note of what is asked for. @returns the fields with the attempt as the parent in the trace. */
  asks(method: string, path: string, fields: readonly string[]): readonly string[] {
    asked(this.#call, method, path);
    asked(this.#attempt, method, path);
    const { trace } = this.#exchange;
    const note = this.#attempt;
    // Nobody behind records what is not sampled, so that its id is of no use to anybody.
    if (note === undefined || trace.carrier === undefined || !isSampled(trace)) return fields;
    if (note.spanId === '') note.spanId = randomHex(SPAN_DIGITS);
    return trace.carrier.withParent(fields, trace, note.spanId);
  }

  /** Takes note of how it ended; an answer that breaks off ends it again. */
  ended(word: string): void {
    const facts = this.#attempt?.facts as AttemptFacts | undefined;
    if (facts !== undefined && STATUS.test(word)) facts.status = word;
    this.#attempt?.end(word, word !== OK);
    // Who was quicker has told how the call has ended.
    if (word !== 'lost') this.#call?.end(word, word !== OK);
  }
}

function asked(note: SpanNote | undefined, method: string, path: string): void {
  if (note === undefined) return;
  const facts = note.facts as AttemptFacts;
  facts.method = method;
  facts.path = path;
}

/** What is noted of attempts; undefined where nobody reads it. */
export function attemptTraceOf(
  exchange: Exchange,
  upstream: Upstream,
  parent: SpanNote | undefined,
): AttemptTrace | undefined {
  const { spans } = exchange.trace;
  return spans === undefined ? undefined : new AttemptTrace(exchange, spans, upstream, parent);
}
