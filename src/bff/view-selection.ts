import { nearestName } from '../config/nearest-name.ts';
import { Problem } from '../problems/problem.ts';
import type { RunnableView } from './view-run.ts';

/** Which sections of a view are wanted. */
export interface Selection {
  /** In the order of the view. */
  readonly names: readonly string[];
  /** What is wanted of nested views, by the name of their section; all of it where nothing is said. */
  readonly nested: ReadonlyMap<string, Selection> | undefined;
}

const wholes = new WeakMap<RunnableView, Selection>();

/** Selects all sections that a view shows. */
export function wholeOf(view: RunnableView): Selection {
  let whole = wholes.get(view);
  if (whole === undefined) {
    const names = view.sections.filter(({ hidden }) => !hidden).map(({ name }) => name);
    wholes.set(view, (whole = { names, nested: undefined }));
  }
  return whole;
}

/**
 * Reads `?fields=user,profile.feed`: the sections that the client wants, by paths through nested views. All of
 * them when it does not say.
 *
 * @param query raw query with its leading `?`, or the empty string.
 * @throws {Problem} `request-invalid` listing each unknown field with the nearest names.
 */
export function selectedFields(view: RunnableView, query: string): Selection {
  if (query === '') return wholeOf(view);
  const given = new URLSearchParams(query).getAll('fields');
  if (given.length === 0) return wholeOf(view);
  const wanted = new Set(
    given
      .join(',')
      .split(',')
      .map((name) => name.trim()),
  );
  const faults: Fault[] = [];
  const selection = select(view, [...wanted], '', faults);
  if (faults.length === 0) return selection;
  throw new Problem('request-invalid', {
    detail: 'The parameter "fields" names something that this view does not have.',
    extensions: { errors: faults },
  });
}

interface Fault {
  readonly parameter: 'fields';
  readonly detail: string;
}

/** @param prefix where the view is within the answer: empty, or a path with its final dot. */
function select(view: RunnableView, paths: readonly string[], prefix: string, faults: Fault[]): Selection {
  const whole = wholeOf(view);
  const inside = new Map<string, string[]>();
  const complete = new Set<string>();
  for (const path of paths) {
    const dot = path.indexOf('.');
    const name = dot < 0 ? path : path.slice(0, dot);
    if (!whole.names.includes(name)) faults.push(unknown(prefix, name, whole.names));
    else if (dot < 0) complete.add(name);
    else inside.set(name, [...(inside.get(name) ?? []), path.slice(dot + 1)]);
  }
  const nested = new Map<string, Selection>();
  for (const [name, rest] of inside) {
    const below = view.sections[view.indexOf(name) as number]?.nested;
    if (below === undefined) faults.push(indivisible(prefix + name));
    else if (!complete.has(name)) nested.set(name, select(below, rest, `${prefix}${name}.`, faults));
  }
  const names = whole.names.filter((name) => complete.has(name) || inside.has(name));
  return { names, nested: nested.size === 0 ? undefined : nested };
}

function unknown(prefix: string, name: string, names: readonly string[]): Fault {
  const nearest = nearestName(name, names);
  const hint = nearest === undefined ? '' : ` Did you mean "${prefix}${nearest}"?`;
  const known = names.map((one) => prefix + one).join(', ');
  return {
    parameter: 'fields',
    detail: `There is no field "${prefix}${name.slice(0, 64)}".${hint} There are ${known}.`,
  };
}

function indivisible(path: string): Fault {
  return { parameter: 'fields', detail: `The field "${path}" has no fields to choose from; it comes whole.` };
}
