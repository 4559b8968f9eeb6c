import type { Answer, Exchange } from '../exchange/exchange.ts';
import { StageAnswered } from '../exchange/stage-answer.ts';
import { perOf, type RouteDoor } from './policy-facts.ts';
import type { Policy } from './policy.ts';
import { enterStage } from './entered-stage.ts';
import type { Stage } from './stage.ts';

/** A compiled stage and the policy whose facts say where it is entered. */
export interface SeatedStage {
  readonly policy: Policy;
  readonly stage: Stage;
}

/** The stages of a route by where they are entered, each list in execution order. */
export interface Seats {
  /** All of them: what a request with one answer meets. */
  readonly stages: readonly Stage[];
  /** Those that are entered before a body is read at the code-first door, and those after it. */
  readonly beforeBody: readonly Stage[];
  readonly afterBody: readonly Stage[];
  /** The same stages by policy, for the adapters of the code-first door. */
  readonly seats: { readonly [policy: string]: Stage | undefined };
  /** The stages that act on the way out, in reverse order. */
  readonly leaving: readonly Stage[];
  /** Those that edit bodies of requests, in execution order. */
  readonly incoming: readonly Stage[];
  /** Those that look at each message of a body that comes line by line. */
  readonly lines: readonly Stage[];
  /** Those that charge what an operation of GraphQL turned out to cost. */
  readonly spending: readonly Stage[];
  /** Whether one of them looks at the whole text of a request's body. */
  readonly holdsBody: boolean;
  /** Those that edit heads, in that order: of the route's answers, and of everything that is said for it. */
  readonly heads: HeadSeats;
  /** What the preflight of a browser meets; empty where nobody answers it. */
  readonly preflight: readonly Stage[];
  /** Those that edit bytes of answers, in reverse order. */
  readonly streams: readonly Stage[];
  /** Those that know pages of other origins which are not foreign. */
  readonly welcoming: readonly Stage[];
  /** Those that know an answer for when the upstream fails. */
  readonly standIns: readonly Stage[];
  readonly live: LiveSeats;
}

/** The stages that edit heads. */
export interface HeadSeats {
  readonly answers: readonly Stage[];
  readonly all: readonly Stage[];
  /** Whether early hints and trailers of an answer pass: nobody wants to edit what they say. */
  readonly passRest: boolean;
}

/** Which stages are entered where several operations come over one connection. */
export interface LiveSeats {
  /** By a handshake. */
  readonly handshake: readonly Stage[];
  /** By one that a service behind answers: those, and what bounds how long that may take. */
  readonly forwarded: readonly Stage[];
  /** Those of them that need not know who calls, and those that come after: a credential can follow the handshake. */
  readonly edge: readonly Stage[];
  readonly identified: readonly Stage[];
  /** Of those after the body: by a request that opens a stream of answers. */
  readonly stream: readonly Stage[];
  /** By each operation, and by each that has one answer. */
  readonly operation: readonly Stage[];
  readonly answer: readonly Stage[];
}

const NONE: readonly Stage[] = Object.freeze([]);

/** Seats the stages of a route by the facts of their policies; done once, when the route is compiled. */
export function seatsOf(seated: readonly SeatedStage[], door: RouteDoor): Seats {
  const where = (holds: (policy: Policy, stage: Stage) => boolean): readonly Stage[] => {
    const held = seated.filter(({ policy, stage }) => holds(policy, stage));
    return held.length === 0 ? NONE : Object.freeze(held.map(({ stage }) => stage));
  };
  const stages = where(() => true);
  const isEdge = ({ before }: Policy): boolean => before === 'identity';
  const isLate = ({ before }: Policy): boolean => before === 'action';
  const isOf = (policy: Policy, per: string): boolean => perOf(policy, door) === per;
  return {
    stages,
    beforeBody: where((policy) => !isLate(policy)),
    afterBody: where(isLate),
    seats: Object.freeze(Object.fromEntries(seated.map(({ policy, stage }) => [policy.name, stage]))),
    leaving: stages.filter((stage) => stage.head ?? stage.body ?? stage.stream).reverse(),
    incoming: where((_, { incoming }) => incoming !== undefined),
    lines: where((_, { line }) => line !== undefined),
    spending: where((_, { spend }) => spend !== undefined),
    holdsBody: stages.some((stage) => stage.holdsBody === true),
    heads: headsOf(stages),
    preflight: preflightOf(where(isEdge)),
    streams: stages.filter((stage) => stage.stream !== undefined).reverse(),
    welcoming: stages.filter((stage) => stage.welcomes !== undefined),
    standIns: stages.filter((stage) => stage.standIn !== undefined),
    live: Object.freeze({
      handshake: where((policy) => !isOf(policy, 'answer')),
      forwarded: where((policy) => !isOf(policy, 'answer') || policy.boundsHandshake === true),
      edge: where((policy) => !isOf(policy, 'answer') && isEdge(policy)),
      identified: where((policy) => !isOf(policy, 'answer') && !isEdge(policy)),
      stream: where((policy) => !isOf(policy, 'answer') && isLate(policy)),
      operation: where((policy) => isOf(policy, 'operation')),
      answer: where((policy) => isOf(policy, 'answer')),
    }),
  };
}

function headsOf(stages: readonly Stage[]): Seats['heads'] {
  const answers = stages.filter((stage) => stage.head !== undefined).reverse();
  return Object.freeze({
    answers,
    all: answers.filter((stage) => stage.heads === 'all'),
    passRest: answers.every((stage) => stage.onlyAdds === true),
  });
}

/** What the preflight meets of a request that any of several routes could take: the checks of all, and one answer. */
export function preflightOfAll(routes: readonly Pick<Seats, 'preflight'>[]): readonly Stage[] {
  const [first, ...others] = routes.map(({ preflight }) => preflight).filter((stages) => stages.length > 0);
  if (first === undefined || others.length === 0) return first ?? NONE;
  return [...others.flatMap((stages) => stages.filter((one) => one.preflight === undefined)), ...first];
}

// Who is not let in at all gets no grant either, and nobody is asked who it is.
function preflightOf(edge: readonly Stage[]): readonly Stage[] {
  if (!edge.some((stage) => stage.preflight !== undefined)) return NONE;
  return Object.freeze(
    edge.map((stage) =>
      stage.preflight === undefined
        ? stage
        : { enter: (exchange: Exchange) => stage.preflight?.(exchange), preflight: stage.preflight },
    ),
  );
}

/**
 * Enters one stage from an adapter of Nest; undefined when it has passed at once.
 *
 * @throws {StageAnswered} when it answers; a filter sends that.
 */
export function enterSeat(stage: Stage | undefined, exchange: Exchange): undefined | Promise<undefined> {
  const entered = enterStage(stage, exchange);
  return entered instanceof Promise ? entered.then(passOn) : passOn(entered);
}

/** @throws {StageAnswered} when stages have answered. */
export function passOn(entered: void | Answer): undefined {
  if (entered !== undefined) throw new StageAnswered(entered);
}
