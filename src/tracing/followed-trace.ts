import { randomHex, type TraceCarrier, type TraceContext } from '../telemetry/trace-context.ts';
import type { PathFacts } from '../exchange/shown-target.ts';
import type { SpanLog } from '../telemetry/span-log.ts';
import type { CallerContext } from './caller-context.ts';
import { isAmong, shownThreshold } from './sampling.ts';
import { ownValue, withThreshold, writeTraceState } from './trace-state.ts';
import type { RouteRules, TracingRules } from './tracing-rules.ts';

const FLAGS = ['00', '01', '02', '03'] as const;
const RANDOMNESS = /^[0-9a-f]{14}$/;

/** A span of somebody else's that a trace has to do with. */
export interface LinkedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

/** What a trace begins with. */
export interface TraceOrigin {
  readonly rules: TracingRules;
  readonly carrier: TraceCarrier;
  /** Undefined where nobody reads what is noted. */
  readonly spans: SpanLog | undefined;
  /** What a caller says who is trusted; undefined for none. */
  readonly caller: CallerContext | undefined;
  /** What a caller says who is not trusted. */
  readonly stranger: CallerContext | undefined;
  /** `baggage` for whoever is asked. */
  readonly baggage: string | undefined;
}

/** An exchange, as far as it decides whether its trace is sampled, and what spans may not show of it. */
export interface SampledExchange extends PathFacts {
  readonly route: (NonNullable<PathFacts['route']> & { readonly id: string }) | undefined;
}

/**
 * The trace of one exchange under the rules of a configuration. Whether it is sampled is decided when somebody first has to
 * know, which is after the route was found, or at the end.
 */
export class FollowedTrace implements TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly carrier: TraceCarrier;
  readonly spans: SpanLog | undefined;
  readonly baggage: string | undefined;
  readonly debug: boolean;
  /** Whether it is a part of a trace whose own span another one makes. */
  readonly isPart: boolean;
  readonly link: LinkedSpan | undefined;
  readonly rules: TracingRules;
  /** Written when there is an exchange. */
  exchange: SampledExchange | undefined = undefined;
  readonly #random: boolean;
  readonly #said: boolean | undefined;
  readonly #members: readonly string[] | undefined;
  #sampled: boolean | undefined = undefined;
  #state: string | undefined = undefined;

  constructor({ rules, carrier, spans, caller, stranger, baggage }: TraceOrigin, part?: FollowedTrace) {
    this.rules = rules;
    this.carrier = carrier;
    this.spans = spans;
    this.baggage = baggage;
    this.isPart = part !== undefined;
    this.traceId = part?.traceId ?? caller?.traceId ?? randomHex(32);
    this.spanId = part?.spanId ?? randomHex(16);
    this.parentId = part?.parentId ?? caller?.spanId;
    this.debug = part?.debug ?? caller?.debug === true;
    this.link = linkTo(stranger);
    // One of our own is random in all of its digits.
    this.#random = part === undefined ? caller?.traceId === undefined || caller.random : part.#random;
    this.#said = rules.followsParent || this.debug ? caller?.sampled : undefined;
    this.#members = caller?.state;
    if (part !== undefined) {
      this.exchange = part.exchange;
      this.#sampled = part.isSampled;
      this.#state = part.#state;
    }
  }

  /** Whether it goes to the collector whatever becomes of it. */
  get isSampled(): boolean {
    return this.#sampled ?? this.#decide();
  }

  get flags(): string {
    return FLAGS[(this.isSampled ? 1 : 0) + (this.#random ? 2 : 0)] as string;
  }

  get state(): string | undefined {
    if (this.#sampled === undefined) this.#decide();
    return this.#state;
  }

  /** What holds for its route. */
  get routeRules(): RouteRules {
    const id = this.exchange?.route?.id;
    return (id === undefined ? undefined : this.rules.routes.get(id)) ?? this.rules;
  }

  #decide(): boolean {
    if (this.#said !== undefined) {
      this.#state = writeTraceState(this.#members);
      return (this.#sampled = this.#said);
    }
    const { threshold } = this.routeRules;
    const said = ownValue(this.#members, 'rv');
    const randomness = said !== undefined && RANDOMNESS.test(said) ? said : undefined;
    const sampled = isAmong(this.traceId, threshold, randomness);
    const shown = sampled && threshold !== undefined ? shownThreshold(threshold) : undefined;
    this.#state = writeTraceState(withThreshold(this.#members, shown));
    return (this.#sampled = sampled);
  }
}

function linkTo(stranger: CallerContext | undefined): LinkedSpan | undefined {
  if (stranger?.traceId === undefined || stranger.spanId === undefined) return undefined;
  return { traceId: stranger.traceId, spanId: stranger.spanId, sampled: stranger.sampled === true };
}
