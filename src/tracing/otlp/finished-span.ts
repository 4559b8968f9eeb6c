import {
  SpanStatusCode,
  type Attributes,
  type HrTime,
  type Link,
  type SpanContext,
  type SpanKind,
  type SpanStatus,
} from '@opentelemetry/api';
import { TraceState, type InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/** What all spans of a process share. */
export interface SpanHome {
  readonly resource: Resource;
  readonly scope: InstrumentationScope;
  /** Longest text of an attribute. */
  readonly valueLength: number;
}

/** What spans of one exchange share. */
export interface SpanFrame {
  readonly home: SpanHome;
  readonly traceId: string;
  /** As a header field has it. */
  readonly state: string | undefined;
  /** What is added to `performance.now()` for ms since the epoch. */
  readonly offsetMs: number;
}

/** One span. */
export interface SpanFacts {
  readonly name: string;
  readonly kind: SpanKind;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly isParentRemote?: boolean;
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Undefined for none: the status is unset then. */
  readonly error: string | undefined;
  readonly attributes: Attributes;
  readonly links?: Link[];
}

const SAMPLED = 1;
const MS_PER_SECOND = 1000;
const NANOSECONDS_PER_MS = 1_000_000;
const UNSET: SpanStatus = Object.freeze({ code: SpanStatusCode.UNSET });
// Without a description: `error.type` says it (semantic conventions, recording errors).
const ERROR: SpanStatus = Object.freeze({ code: SpanStatusCode.ERROR });

/** A span that has begun and ended before it was made: nobody pays for spans that are not kept. */
export class FinishedSpan implements ReadableSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly parentSpanContext?: SpanContext;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly duration: HrTime;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly links: Link[];
  readonly events = [];
  readonly ended = true;
  readonly resource: Resource;
  readonly instrumentationScope: InstrumentationScope;
  readonly droppedAttributesCount = 0;
  readonly droppedEventsCount = 0;
  readonly droppedLinksCount = 0;
  readonly #context: SpanContext;

  constructor({ home, traceId, state, offsetMs }: SpanFrame, facts: SpanFacts) {
    const { startedAt, parentId } = facts;
    const endedAt = Math.max(facts.endedAt, startedAt);
    const more = state === undefined ? {} : { traceState: new TraceState(state) };
    this.name = facts.name;
    this.kind = facts.kind;
    this.#context = { traceId, spanId: facts.spanId, traceFlags: SAMPLED, ...more };
    if (parentId !== undefined)
      this.parentSpanContext = {
        traceId,
        spanId: parentId,
        traceFlags: SAMPLED,
        isRemote: facts.isParentRemote === true,
      };
    this.startTime = timeOf(startedAt + offsetMs);
    this.endTime = timeOf(endedAt + offsetMs);
    this.duration = timeOf(endedAt - startedAt);
    this.status = facts.error === undefined ? UNSET : ERROR;
    this.attributes = bounded(facts.attributes, home.valueLength);
    this.links = facts.links ?? [];
    this.resource = home.resource;
    this.instrumentationScope = home.scope;
  }

  spanContext(): SpanContext {
    return this.#context;
  }
}

function timeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / MS_PER_SECOND);
  return [seconds, Math.round((ms - seconds * MS_PER_SECOND) * NANOSECONDS_PER_MS)];
}

function bounded(attributes: Attributes, most: number): Attributes {
  for (const name in attributes) {
    const value = attributes[name];
    if (typeof value === 'string' && value.length > most) attributes[name] = value.slice(0, most);
  }
  return attributes;
}
