import type { z } from 'zod';
import type { ComponentStore } from '../contracts/components.ts';
import type { OperationContract } from '../contracts/operation-contract.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { DoorName } from '../policies/doors.ts';
import type { Seats } from '../policies/seats.ts';
import type { Stage } from '../policies/stage.ts';
import { Problem } from '../problems/problem.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { Foreseen } from './foreseen.ts';
import type { GatewayConfig, RouteConfig } from './gateway.schema.ts';
import type { PathPattern } from './path-pattern.ts';
import type { Route, RouteDefinition } from './route.ts';
import type { MatchSubject } from './segment-tree.ts';

/** An upstream that some requests of a route go to, besides its own. */
export interface Elsewhere {
  readonly upstream: Upstream;
  /** The key of the route that names it. */
  readonly key: readonly (string | number)[];
}

/** What answers the exchanges of one route. Made when the route is compiled, so that no request chooses. */
export interface RouteAction {
  readonly kind: string;
  /** What a listing shows as the place that answers: names of upstreams, or what a client is told. */
  readonly target?: string | undefined;
  /** What a listing shows besides: where some of its requests go as well, or instead, such as `mirror users-next 5%`. */
  readonly beside?: readonly string[] | undefined;
  /** Where some of its requests go in place of the upstream of the route: what holds of that has to hold of them. */
  readonly elsewhere?: readonly Elsewhere[];
  /** What is asked besides with what clients send: what keeps them out there has to keep them out of the route. */
  readonly copiedTo?: readonly Elsewhere[] | undefined;
  /** Whether a server that is not ours reads the path of the request, in its own way. */
  readonly passesPath?: true;
  /** Whether it makes the edits of JSON of the way out itself, before there is text. */
  readonly editsJson?: boolean;
  /** Whether it passes bodies on unread both ways, so that a policy which edits them would not hold. */
  readonly isOpaque?: true;
  /** Whether bodies of requests are messages line by line, each of which the stages that look at lines are shown. */
  readonly takesLines?: boolean;
  /** Whether it takes nothing but the handshake of a WebSocket. */
  readonly needsSocket?: boolean;
  /** Whether it forwards the handshakes of WebSockets to who may answer them. */
  readonly forwardsSockets?: boolean;
  /** Whether it only holds the place of routes that are not known yet. */
  readonly isPending?: true;
  /**
   * What it asks for, where more than path and query of the request decides about that; caches tell answers apart by it.
   *
   * @throws {Problem} that it would answer with.
   */
  readonly asksBy?: ((exchange: Exchange) => string) | undefined;
  /** Names of cookies that it gives to clients for itself: they are no business of services. */
  readonly ownCookies?: readonly string[] | undefined;
  /** Looks at where the stages of its route act. @throws {ActionError} when it cannot give them their due. */
  check?(seats: Seats): void;
  /** The stages that an exchange enters, where they are not those of its route. */
  stagesOf?(exchange: Exchange, route: Route): readonly Stage[];
  /**
   * What it would do with an exchange whose stages have passed. Absent: only who answers knows.
   *
   * @throws {Problem} that it would answer with.
   */
  foresee?(exchange: Exchange, route: Route, body: Buffer | undefined): Foreseen | Promise<Foreseen>;
  /** Answers one exchange, whose stages were entered; everything, problems included, goes to the sink. */
  answer(exchange: Exchange, route: Route, sink: AnswerSink): void;
  /** What clients are told of an operation; absent: nothing besides its policies. */
  contract?(about: ContractInput): OperationContract;
}

/** Which operation a contract is for, and where its schemas are kept. */
export interface ContractInput {
  readonly method: string;
  /** Names of the path parameters, as the document spells them. */
  readonly names: readonly string[];
  readonly components: ComponentStore;
}

/** What answers a route, as data; each kind adds what it needs to know. */
export interface ActionDefinition {
  readonly kind: string;
}

/** Something wrong with the routes of the file, found while they are read. */
export interface SourceFault {
  /** From the root of the configuration. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly suggestion?: string | undefined;
}

/** One route of the file, to be read by the source of its kind. */
export interface RouteReading {
  readonly config: GatewayConfig;
  readonly route: RouteConfig;
  readonly index: number;
  /** Where it stands, for messages. */
  readonly origin: string;
}

/** What came of a route of the file: mostly one definition. */
export interface ReadRoutes {
  readonly definitions: readonly RouteDefinition[];
  readonly faults: readonly SourceFault[];
}

/** What the configuration file says about routes of one kind, and how that is read. */
export interface ActionSource {
  readonly kind: string;
  /** The key that makes a route one of this kind; absent for the kind of those that have none. */
  readonly key?: string;
  /** The keys of a route that are this kind's own, its key included. */
  readonly keys: Readonly<Record<string, z.ZodType>>;
  /** The door that its clients come in by, where policies say of that door that they do not fit. */
  readonly door?: DoorName;
  /** Whether its routes lead to one upstream, named by `upstream`. */
  readonly hasUpstream: boolean;
  /** Whether header fields of clients reach the upstream. */
  readonly passesFields?: true;
  /** Why a route of it has no `match`; absent: it has one. */
  readonly matchless?: string;
  /** Why nothing that belongs to another kind can stand beside it. */
  readonly alone: string;
  /** Says what else of a route makes no sense, and where. */
  check?(route: RouteConfig): Pick<SourceFault, 'path' | 'message'> | undefined;
  read(reading: RouteReading): ReadRoutes;
}

/** What an action is compiled with. */
export interface ActionInput {
  readonly routeId: string;
  readonly pattern: PathPattern;
  /** The upstream that the route leads to. */
  readonly upstream: Upstream | undefined;
  /** Another upstream that its definition names. @throws {ActionError} when there is none, below the key. */
  named(name: string, key: readonly string[]): Upstream;
}

/** What a kind may know of the routes of one configuration once all of them are compiled. */
export interface LiveRoutes {
  readonly config: GatewayConfig;
  originOf(index: number): string;
  /** @throws {Error} when there is no upstream of that name; those that routes lead to were checked. */
  upstream(name: string): Upstream;
  /** The route that a request would take; nothing is written, and nothing refused. */
  peek(asked: MatchSubject): Route | undefined;
  /**
   * Puts routes in the place of those of the same origin, all at once.
   *
   * @throws {RouteFault} for the first thing that is wrong with them; the routes that there are stay.
   */
  replace(origin: string, definitions: readonly RouteDefinition[]): void;
}

/** What a kind does in the background for the routes of one configuration. */
export interface LiveWork {
  /** Begins, when the configuration comes into force; never for one that is only checked. */
  start?(): void;
  /** Ends for good: another configuration is in force, or the gateway leaves. */
  stop?(): void;
  /**
   * Takes over what the work of the same kind has learned that a reload replaces.
   *
   * @throws {RouteFault} for the first thing that does not go with these routes.
   */
  adopt?(previous: LiveWork): void;
}

/** A kind of action, one for all configurations. One line of `pipeline/actions.ts` registers it. */
export interface ActionKind {
  readonly source: ActionSource;
  /** @throws {ActionError} for the operator, when its definition makes no sense for this route. */
  compile(definition: ActionDefinition, input: ActionInput): RouteAction;
  /** Called once for each configuration, when all of its routes are compiled. */
  work?(routes: LiveRoutes): LiveWork;
}

/** Injection token of the kinds; bound once, in `pipeline/`. */
export const ACTION_KINDS = Symbol('ACTION_KINDS');

/** Something wrong with the action of a route, below one of its keys. */
export class ActionError extends Error {
  override readonly name = 'ActionError';
  readonly key: readonly (string | number)[];
  /** The nearest valid name. */
  readonly suggestion: string | undefined;

  constructor(key: readonly (string | number)[], message: string, suggestion?: string) {
    super(message);
    this.key = key;
    this.suggestion = suggestion;
  }
}

/** The action of what controllers and resolvers answer: they are reached through Nest, never through door 1. */
export const handlerAction: RouteAction = Object.freeze({
  kind: 'handler',
  answer: (_exchange: Exchange, _route: Route, sink: AnswerSink): void =>
    sink.fail(new Problem('route-not-found')),
});
