import type { Call, CallDescription, DeclaredCall } from '../calls/call.ts';
import type { Section } from './section.ts';
import type { RunnableView } from './view-run.ts';

/** A view as data. */
export interface ViewDescription {
  readonly name: string;
  readonly sections: readonly SectionDescription[];
}

/** A section as data. */
export interface SectionDescription {
  readonly name: string;
  readonly kind: 'call' | 'view' | 'function';
  /** Whether the call or the view is run per element of a list. */
  readonly many: boolean;
  readonly required: boolean;
  /** In ms; undefined: the deadline of the exchange. */
  readonly budgetMs: number | undefined;
  readonly fallback: boolean;
  /** Whether it only runs for other sections. */
  readonly hidden: boolean;
  /** The call, or those that the function has made in this process; empty for views. */
  readonly calls: readonly Pick<CallDescription, 'name' | 'upstream' | 'protocol' | 'operation'>[];
  readonly view: ViewDescription | undefined;
  /** The sections that it has waited for in this process; empty before the first run. */
  readonly dependsOn: readonly string[];
}

/**
 * Describes a view: sections, calls, budgets. Dependencies, and the calls of functions, are those that runs in this
 * process have had, because a source is free to decide; nothing is guessed from a run that is not real.
 */
export function describeView(view: RunnableView): ViewDescription {
  return { name: view.name, sections: view.sections.map((section) => describeSection(view, section)) };
}

function describeSection(view: RunnableView, section: Section): SectionDescription {
  const { name, many, required, budgetMs, fallback, hidden, nested, index } = section;
  const call = section.source ?? section.element;
  return {
    name,
    kind: nested !== undefined ? 'view' : call !== undefined ? 'call' : 'function',
    many,
    required,
    budgetMs: budgetMs === Infinity ? undefined : budgetMs,
    fallback: fallback !== undefined,
    hidden,
    calls: (call === undefined ? view.dependencies.callsOf(index) : [call]).map(describeCall),
    view: nested && describeView(nested),
    dependsOn: view.dependencies.of(index).flatMap((at) => view.sections[at]?.name ?? []),
  };
}

function describeCall(call: Call<never, unknown>): SectionDescription['calls'][number] {
  const declared = (call as Partial<DeclaredCall<never, unknown>>).description;
  const { name, upstream } = call;
  return { name, upstream, protocol: declared?.protocol ?? 'http', operation: declared?.operation ?? name };
}
