import { SpanKind, type Attributes } from '@opentelemetry/api';
import type { AttemptFacts, SpanNote, SpanSort } from '../../telemetry/span-log.ts';
import { randomHex } from '../../telemetry/trace-context.ts';
import { DB, GRAPHQL, HTTP, OWN, RPC } from './attribute-names.ts';
import { FinishedSpan, type SpanFrame } from './finished-span.ts';
import { shownTarget } from './shown-url.ts';

/** What spans are made of, besides the notes. */
export interface InnerOptions {
  readonly frame: SpanFrame;
  /** The span of the exchange. */
  readonly rootId: string;
  /** Parameters of queries that may be shown. */
  readonly query: ReadonlySet<string>;
  /** Parts of what the client asked for that may be secret: they may have become parts of what is asked for on its behalf. */
  readonly secrets: readonly string[];
}

const CLIENT_SORTS: ReadonlySet<SpanSort> = new Set(['rpc', 'store']);
/** Ends that are neither good nor bad: somebody else was quicker, or nobody wanted it any more. */
const NEUTRAL: ReadonlySet<string> = new Set(['lost', 'client-closed', 'left', 'shutting-down']);
const FIRST_CLIENT_ERROR = 400;
const SPAN_DIGITS = 16;
const STATUS = /^[1-5]\d\d$/;
const LONGEST_OPERATION = 128;

/** The spans of what was noted within an exchange. */
export function innerSpans(notes: readonly SpanNote[], options: InnerOptions): readonly FinishedSpan[] {
  return notes.map((note) => innerSpan(note, options));
}

function innerSpan(note: SpanNote, options: InnerOptions): FinishedSpan {
  const error = errorOf(note);
  const attributes = attributesOf(note, options);
  if (error !== undefined) attributes[HTTP.errorType] = error;
  return new FinishedSpan(options.frame, {
    name: nameOf(note),
    kind: kindOf(note),
    spanId: idOf(note),
    parentId: note.parent === undefined ? options.rootId : idOf(note.parent),
    startedAt: note.startedAt,
    endedAt: note.endedAt === 0 ? performance.now() : note.endedAt,
    error,
    attributes,
  });
}

function idOf(note: SpanNote): string {
  if (note.spanId === '') note.spanId = randomHex(SPAN_DIGITS);
  return note.spanId;
}

// One span of a client for each try over HTTP; over gRPC one for the call, whatever tries it took (conventions for both).
function kindOf({ sort, facts }: SpanNote): SpanKind {
  if (sort === 'attempt' && (facts as AttemptFacts).protocol === 'http') return SpanKind.CLIENT;
  return CLIENT_SORTS.has(sort) ? SpanKind.CLIENT : SpanKind.INTERNAL;
}

function nameOf({ sort, name, facts }: SpanNote): string {
  if (sort === 'attempt') {
    const { method, protocol } = facts as AttemptFacts;
    return protocol === 'http' && method !== '' ? method : `attempt ${name}`;
  }
  if (sort === 'rpc') return methodOf(facts as AttemptFacts) || `call ${name}`;
  if (sort === 'operation') return name;
  return sort === 'store' ? `redis ${name}` : `${sort} ${name}`;
}

/** `shop.v1.Orders/GetOrder`. */
function methodOf({ path }: AttemptFacts): string {
  return path.startsWith('/') ? path.slice(1) : path;
}

function errorOf(note: SpanNote): string | undefined {
  const { sort, outcome, isFault } = note;
  if (outcome === '' || NEUTRAL.has(outcome)) return undefined;
  if (sort !== 'attempt' && sort !== 'rpc') return isFault ? outcome : undefined;
  if (STATUS.test(outcome)) return Number(outcome) >= FIRST_CLIENT_ERROR ? outcome : undefined;
  return outcome === 'OK' ? undefined : outcome;
}

function attributesOf(note: SpanNote, options: InnerOptions): Attributes {
  const { sort, name, outcome, facts } = note;
  switch (sort) {
    case 'attempt':
      return attemptAttributes(facts as AttemptFacts, outcome, options);
    case 'rpc':
      return rpcAttributes(facts as AttemptFacts, outcome);
    case 'call':
      return { [OWN.call]: name, [OWN.outcome]: outcome };
    case 'section':
      return { [OWN.section]: name, [OWN.outcome]: outcome };
    case 'operation':
    case 'event':
      return { ...operationAttributes(facts as OperationFacts | undefined), [OWN.outcome]: outcome };
    case 'resolver':
      return { [OWN.field]: name };
    case 'stage':
      return { [OWN.policy]: name, [OWN.outcome]: outcome };
    case 'store':
      return { [DB.system]: 'redis', [OWN.store]: name };
  }
}

/** What is known of an operation of GraphQL. */
interface OperationFacts {
  readonly type: string;
  readonly name: string | undefined;
}

function operationAttributes(facts: OperationFacts | undefined): Attributes {
  if (facts === undefined) return {};
  const { type, name } = facts;
  return {
    [GRAPHQL.type]: type,
    ...(name === undefined ? {} : { [GRAPHQL.name]: name.slice(0, LONGEST_OPERATION) }),
  };
}

function attemptAttributes(
  facts: AttemptFacts,
  outcome: string,
  { query, secrets }: InnerOptions,
): Attributes {
  const attributes: Attributes = { [OWN.upstream]: facts.upstream, [OWN.target]: facts.target };
  if (facts.resends > 0) attributes[OWN.reason] = facts.isHedge ? 'hedge' : 'retry';
  if (facts.protocol === 'grpc') {
    if (outcome !== '') attributes[RPC.status] = outcome;
    return attributes;
  }
  if (facts.method !== '') attributes[HTTP.method] = facts.method;
  addServer(attributes, facts.target);
  attributes[HTTP.url] = `${facts.scheme}://${facts.target}${shownTarget(facts.path, query, secrets)}`;
  if (facts.resends > 0) attributes[HTTP.resends] = facts.resends;
  if (facts.status !== '') attributes[HTTP.status] = Number(facts.status);
  return attributes;
}

function rpcAttributes(facts: AttemptFacts, outcome: string): Attributes {
  const attributes: Attributes = {
    [RPC.system]: 'grpc',
    [RPC.method]: methodOf(facts),
    [OWN.upstream]: facts.upstream,
    // What was asked for, which is the upstream, and none of its targets.
    [HTTP.serverAddress]: facts.upstream,
  };
  if (outcome !== '') attributes[RPC.status] = outcome;
  return attributes;
}

function addServer(attributes: Attributes, target: string): void {
  const colon = target.lastIndexOf(':');
  attributes[HTTP.serverAddress] = target.slice(0, colon).replace(/^\[|\]$/g, '');
  attributes[HTTP.serverPort] = Number(target.slice(colon + 1));
}
