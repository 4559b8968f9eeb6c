import { nearestName } from '../config/nearest-name.ts';
import { Problem } from '../problems/problem.ts';
import type { RunnableView } from './view-run.ts';

/**
 * Reads `?fields=user,feed`: the sections that the client wants. All of them when it does not say.
 *
 * @param query raw query with its leading `?`, or the empty string.
 * @throws {Problem} `request-invalid` listing each unknown field with the nearest names.
 */
export function selectedFields(view: RunnableView, query: string): readonly string[] {
  const names = namesOf(view);
  if (query === '') return names;
  const given = new URLSearchParams(query).getAll('fields');
  if (given.length === 0) return names;
  const wanted = new Set(
    given
      .join(',')
      .split(',')
      .map((name) => name.trim()),
  );
  const errors = [...wanted]
    .filter((name) => view.indexOf(name) === undefined)
    .map((name) => fault(name, names));
  if (errors.length > 0) {
    throw new Problem('request-invalid', {
      detail: 'The parameter "fields" names something that this view does not have.',
      extensions: { errors },
    });
  }
  // In the order of the view, whatever the order of the request.
  return names.filter((name) => wanted.has(name));
}

function fault(name: string, names: readonly string[]): Record<string, unknown> {
  const nearest = nearestName(name, names);
  const hint = nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
  const detail = `There is no field "${name.slice(0, 64)}".${hint} There are ${names.join(', ')}.`;
  return { parameter: 'fields', detail };
}

const cachedNames = new WeakMap<RunnableView, readonly string[]>();

function namesOf(view: RunnableView): readonly string[] {
  let names = cachedNames.get(view);
  if (names === undefined) cachedNames.set(view, (names = view.sections.map(({ name }) => name)));
  return names;
}
