import type { z } from 'zod';
import { noteServedViews } from '../bff/served-views.ts';
import type { RunnableView } from '../bff/view-run.ts';
import { maskedPlaces, maskedSections } from '../bff/graphql/types/masked-places.ts';
import type { AnyVariants } from '../bff/view-variants.ts';
import type { ViewValues } from '../bff/view.ts';
import type { ProblemCode } from '../problems/catalogue.ts';
import type { NamedCall } from './call-problems.ts';

/** What a handler says about its answer. */
export interface AnswerOptions {
  /** Status of the answer. Default: that of Nest, 201 for POST and 200 for the rest. */
  readonly status?: number;
  /** What the answer is, as one sentence. */
  readonly description?: string;
  /** What the operation does, in a few words, for lists. */
  readonly summary?: string;
  /** Header fields of the answer, by name, with what they say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Problems that the handler ends with, besides those of the stages of its route and of its calls. */
  readonly problems?: readonly ProblemCode[];
  /**
   * The calls that the handler makes, whose problems it may end with; none for one that makes no calls. Default: whatever
   * a call of any upstream may end with, where the class of the handler can make calls; for a view the calls of its sections.
   */
  readonly calls?: readonly NamedCall[];
  /** Whether the sections of a view are sent one by one to who accepts that, as `Views.answer` does. */
  readonly streamed?: boolean;
  /** Schemas of the sections of which a kind of client sees less, by kind and name. */
  readonly kinds?: Readonly<Record<string, Readonly<Record<string, z.ZodType>>>>;
  /** Whether clients should stop to use the operation. */
  readonly deprecated?: boolean;
}

/** What {@link Answers} or {@link AnswersView} left on a handler. */
export interface DeclaredAnswer extends AnswerOptions {
  /** A schema of the body; undefined when there is none. */
  readonly schema?: z.ZodType | undefined;
  readonly view?: DescribedView | undefined;
  /** Schemas of sections, by name. */
  readonly sections?: Readonly<Record<string, z.ZodType | undefined>>;
}

/** A view, and what it looks like for kinds of clients. */
export interface DescribedView {
  readonly view: RunnableView;
  /** By kind, without the default. */
  readonly kinds: ReadonlyMap<string, RunnableView>;
  /** The header field that says which kind a client is of. */
  readonly kindField: string | undefined;
}

/** The metadata key of {@link DeclaredAnswer}. */
export const ANSWER_METADATA = 'gatehouse:answer';

/** What asking an upstream may end with. Handlers that can make calls have them by themselves. */
export const UPSTREAM_PROBLEMS = [
  'circuit-open',
  'no-available-target',
  'upstream-rejected',
  'upstream-response-invalid',
  'upstream-saturated',
  'upstream-timeout',
  'upstream-unreachable',
] as const satisfies readonly ProblemCode[];

/**
 * Says what a handler answers, for the OpenAPI document and the clients made of it. It checks nothing: the type
 * of the handler and the type of the schema are kept together by `z.output`.
 *
 * @param schema of the body, or `nothing` for an answer without one.
 * @throws {Error} when the schema has a mask, which nobody would keep.
 */
export function Answers(schema: z.ZodType | 'nothing', options: AnswerOptions = {}): MethodDecorator {
  if (schema !== 'nothing') mustHaveNoMasks(maskedPlaces(schema).map((path) => `the answer${path}`));
  return declare({ ...options, schema: schema === 'nothing' ? undefined : schema });
}

/**
 * Says that a handler answers with a view. Sections whose source is one call, or a view, are described by what
 * the calls decode; the others by the schemas given here, without which they may be anything.
 *
 * @throws {Error} when one of the schemas has a mask, which holds only where the view is exposed.
 */
export function AnswersView<Of extends RunnableView | AnyVariants>(
  of: Of,
  // One signature: of several the compiler tells why the last one does not fit, whichever was meant.
  sections: SectionSchemas<WholeOf<Of>> = {},
  options: AnswerOptions = {},
): MethodDecorator {
  const view: RunnableView | AnyVariants = of;
  const whole = 'default' in view ? view.default : view;
  const schemas = sections as ErasedSchemas;
  mustHaveNoMasks(maskedSections(whole, schemas));
  return declareView(view, schemas, options);
}

/** What a view shows to who is of no kind. */
type WholeOf<Of> = Of extends { readonly default: infer Whole } ? ViewValues<Whole> : ViewValues<Of>;

type ErasedSchemas = Readonly<Record<string, z.ZodType | undefined>>;

/** As {@link AnswersView}, for whoever sees to it that masks of schemas hold. */
export function declareView(
  view: RunnableView | AnyVariants,
  sections: ErasedSchemas,
  options: AnswerOptions,
): MethodDecorator {
  const described: DescribedView =
    'default' in view
      ? { view: view.default, kinds: view.views, kindField: view.by.vary }
      : { view, kinds: new Map(), kindField: undefined };
  const answer = declare({ ...options, view: described, sections });
  return (target, name, descriptor) => {
    answer(target, name, descriptor);
    noteServedViews(descriptor.value as object, [described.view, ...described.kinds.values()]);
  };
}

/** Schemas of sections, by name. */
export type SectionSchemas<Values> = { readonly [Name in keyof Values]?: z.ZodType<Values[Name]> };

// Fails closed: what a handler answers is not looked at field by field.
function mustHaveNoMasks(masked: readonly string[]): void {
  if (masked.length === 0) return;
  throw new Error(`${masked.join(', ')}: a mask of a schema holds on views that are offered by \`expose\``);
}

function declare(answer: DeclaredAnswer): MethodDecorator {
  return (_target, _name, descriptor) => {
    Reflect.defineMetadata(ANSWER_METADATA, answer, descriptor.value as object);
  };
}
