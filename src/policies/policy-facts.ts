import type { z } from 'zod';
import type { ProblemCode } from '../problems/catalogue.ts';
import type { UnfitDoors } from './doors.ts';
import type { Tiers } from './rate-limit/tiers.schema.ts';

/** How a door of the code is built: `proxy` for YAML routes, `handler` for controllers and GraphQL. */
export type RouteDoor = 'proxy' | 'handler';

/**
 * What one run of a stage is for, where several operations come over one connection: the `connection` as a whole, each
 * `operation` (the handshake counts as one), or each `answer`, which streams of answers have none of.
 */
export type Per = 'connection' | 'operation' | 'answer';

/**
 * What a stage has to come before: `match`, when it is the same for all routes; `identity`, when it does not matter who
 * calls; `body`, when a byte of the request's body is read; `action`, when somebody answers. THE ORDER follows it.
 */
export type Before = (typeof BEFORE)[number];

/** The steps of the walk that stages can come before, in order. */
export const BEFORE = ['match', 'identity', 'body', 'action'] as const;

/** A header field that a stage adds to every answer of its routes, for the contracts. */
export interface AnswerField {
  readonly description: string;
  readonly type?: 'string' | 'integer';
}

/** An answer that a stage gives itself, for the contracts. */
export interface OwnAnswer {
  readonly description: string;
  /** To which requests. */
  readonly methods: ReadonlySet<string>;
}

/** A header field that a policy reads of requests, for the contracts. */
export interface RequestField<Options> {
  readonly description: string;
  /** Of which requests. */
  readonly methods: ReadonlySet<string>;
  isRequired(options: Options): boolean;
}

/** What a policy says of itself. Every seat goes by these facts, and none by the names of policies. */
export interface PolicyFacts<Name extends string = string, Schema extends z.ZodType = z.ZodType> {
  /** The YAML key. */
  readonly name: Name;
  /** Parses and fills in the defaults of the options. */
  readonly schema: Schema;
  /** The step of the walk that it is shown as where operators see stages. Default: its name. */
  readonly step?: string;
  /** One paragraph that says what it does; the head of its page. */
  readonly summary: string;
  /** What it is entered for on sockets and streams; by how the door is built, where that makes a difference. */
  readonly per: Per | Readonly<Record<RouteDoor, Per>>;
  readonly before: Before;
  /** Whether it is entered for a handshake that is forwarded, too, though it is for each answer. Default: not. */
  readonly boundsHandshake?: true;
  /** The codes that its stage says no with. */
  readonly refusesWith: readonly ProblemCode[];
  /** Those of them that it can say no with under these options, at a door. Default: all. */
  refuses?(options: z.output<Schema>, door: RouteDoor): readonly ProblemCode[];
  /** Header fields that its stage adds to every answer. */
  readonly answerFields?: Readonly<Record<string, AnswerField>>;
  /** Answers without a body that its stage gives itself and that are no problems, by status. */
  readonly ownAnswers?: Readonly<Record<string, OwnAnswer>>;
  /** Header fields that its stage reads of requests. */
  readonly requestFields?: Readonly<Record<string, RequestField<z.output<Schema>>>>;
  /** The options in a few words, for who operates the gateway; `file` has what of the file they refer to. */
  describe(options: z.output<Schema>, file?: FileFacts): string;
  /** What is in force where nobody says anything; absent for nothing. */
  readonly undeclared?: z.output<Schema>;
  /** Where it means something on a GraphQL schema: on all fields and types, or on the fields of the roots. */
  readonly onFields?: 'all' | 'roots';
  /** Whether it keeps callers out, or data from them: nobody may lose it by asking for the same elsewhere. */
  readonly guards?: true;
  /** Where it makes no sense, and why. */
  readonly unfit?: UnfitDoors;
  /** Whether proxied routes have it from their upstream, which says it at its own key of that name. */
  readonly isOfUpstreams?: true;
  /** What several routes may have in common by a name, and then have to say alike. */
  shared?(options: z.output<Schema>): readonly SharedOptions[];
  /** What of its options does nothing at a place; asked in turn until there is nothing more. */
  idle?(options: z.output<Schema>, at: RouteKind): IdleOptions | undefined;
}

/** What options can refer to by name. */
export interface FileFacts {
  readonly tiers?: Tiers | undefined;
}

/** Something that all routes have in common that name it. */
export interface SharedOptions {
  readonly name: string;
  /** Where it stands, below the policy. */
  readonly key: readonly (string | number)[];
  /** What has to be the same wherever it is named, by its key. */
  readonly terms: Readonly<Record<string, unknown>>;
}

/** What makes options of a policy do something or not. */
export interface RouteKind {
  /** The kind of its action; `handler` for controllers and GraphQL, `field` for a part of a GraphQL schema. */
  readonly kind: string;
  /** Empty for all. */
  readonly methods: readonly string[];
  /** Whether a handler answers with a stream of events. Default false. */
  readonly sendsEvents?: boolean | undefined;
  /** Whether operations of GraphQL are answered there. Default false. */
  readonly isGraphql?: boolean | undefined;
  /** The schemes by which callers can be known there, none where anybody may call; absent where nobody says. */
  readonly schemes?: readonly string[] | undefined;
}

/** Options that do nothing. */
export interface IdleOptions {
  /** Below the policy; none for all of it. */
  readonly key: readonly (string | number)[];
  readonly reason: string;
  /** Whether who inherits them is better off with all of them, because nobody minds. Default false. */
  readonly isHarmless?: true;
}

/** Whether a handler is for methods only whose bodies nobody reads. */
export function readsNoBody({ kind, methods }: RouteKind): boolean {
  return kind === 'handler' && methods.length > 0 && methods.every((one) => one === 'GET' || one === 'HEAD');
}

/** What a policy is entered for at a door. */
export function perOf({ per }: Pick<PolicyFacts, 'per'>, door: RouteDoor): Per {
  return typeof per === 'string' ? per : per[door];
}

/** The step of the walk that a policy is shown as. */
export function stepOf({ step, name }: Pick<PolicyFacts, 'step' | 'name'>): string {
  return step ?? name;
}
