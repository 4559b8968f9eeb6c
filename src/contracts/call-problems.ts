import type { CallDescription } from '../calls/call.ts';
import { Caller } from '../calls/caller.ts';
import { Views } from '../bff/views.ts';
import type { RunnableView } from '../bff/view-run.ts';
import type { ProblemCode } from '../problems/catalogue.ts';
import { UPSTREAM_PROBLEMS } from './answers.decorator.ts';

/** What a call speaks to its upstream. */
export type CallProtocol = CallDescription['protocol'];

/** A call, or a stream of one, as far as its problems go. */
export interface NamedCall {
  readonly description: Pick<CallDescription, 'protocol'>;
}

/** What any call may end with: its upstream may be in trouble, refuse, or need an identity that cannot be had. */
const OF_ANY: readonly ProblemCode[] = [
  ...UPSTREAM_PROBLEMS,
  'deadline-exceeded',
  'identity-unavailable',
  'resource-not-found',
];

/** The problems that calls may end with, by what they speak; those of gRPC follow the status (docs/errors.md). */
const BY_PROTOCOL: Readonly<Record<CallProtocol, readonly ProblemCode[]>> = {
  http: OF_ANY,
  grpc: [
    ...OF_ANY,
    'conflict',
    'not-implemented',
    'permission-denied',
    'request-invalid',
    'upstream-exhausted',
  ],
};

/** The problems that calls may end with which speak one of these. */
export function callProblems(protocols: Iterable<CallProtocol>): readonly ProblemCode[] {
  return [...new Set([...protocols].flatMap((protocol) => BY_PROTOCOL[protocol]))];
}

/**
 * What the calls of a view speak whose problems become that of its answer: those of its required sections, and of what these
 * are made of. A section that is not required degrades alone.
 *
 * @param known what is spoken to upstreams at all: a section that is a function may make any call.
 */
export function viewProtocols(
  view: RunnableView,
  known: ReadonlySet<CallProtocol>,
): ReadonlySet<CallProtocol> {
  const found = new Set<CallProtocol>();
  for (const { required, source, element, nested, isOpen } of view.sections) {
    if (!required) continue;
    const call = (source ?? element) as Partial<NamedCall> | undefined;
    if (nested !== undefined) viewProtocols(nested, known).forEach((one) => found.add(one));
    else if (call?.description !== undefined) found.add(call.description.protocol);
    if (isOpen || (call !== undefined && call.description === undefined))
      known.forEach((one) => found.add(one));
  }
  return found;
}

const REACHING: ReadonlySet<unknown> = new Set([Caller, Views]);

/**
 * Whether a class can make calls: it is given the `Caller` or `Views` by its constructor or a property, or something that is.
 * What is injected by a token that is no class is not looked into.
 */
export function canCall(target: unknown, seen: Set<unknown> = new Set()): boolean {
  if (REACHING.has(target)) return true;
  if (typeof target !== 'function' || seen.has(target)) return false;
  seen.add(target);
  return injectedInto(target).some((one) => canCall(one, seen));
}

/** What Nest remembers of the dependencies of a class (`@nestjs/common`, constants). */
function injectedInto(target: object): readonly unknown[] {
  const types = (Reflect.getMetadata('design:paramtypes', target) ?? []) as readonly unknown[];
  const named = (Reflect.getMetadata('self:paramtypes', target) ?? []) as readonly {
    readonly param: unknown;
  }[];
  const properties = (Reflect.getMetadata('self:properties_metadata', target) ?? []) as readonly {
    readonly type: unknown;
  }[];
  return [...types, ...named.map(({ param }) => param), ...properties.map(({ type }) => type)];
}
