/** What a client gets, and which resolvers ran for it. */
export interface Answered {
  readonly data?: unknown;
  readonly errors?: readonly AnsweredError[];
  readonly ran: readonly string[];
}

interface AnsweredError {
  readonly path?: readonly (string | number)[];
}

/**
 * Names what differs between two answers. Two things may: the order of errors, which means nothing, and, where
 * something had to become `null` because a part of it failed, which of several failed parts is told, and which
 * resolvers ran for nothing (GraphQL specification, section 6.4.4).
 *
 * @param unordered whether fields may come in another order: where `@skip` or `@include` leave out a field that comes
 * again later, a compiled operation keeps its first place.
 */
export function differences(expected: Answered, actual: Answered, unordered: boolean): readonly string[] {
  const [one, other] = [placed(expected), placed(actual)];
  const data = ({ data: value }: Answered): string => JSON.stringify(unordered ? ordered(value) : value);
  return [
    data(expected) === data(actual) ? [] : ['data'],
    sorted(one.told) === sorted(other.told) ? [] : ['errors'],
    sorted(one.lost) === sorted(other.lost) ? [] : ['places of errors in what became null'],
    one.lost.length > 0 || sorted(expected.ran) === sorted(actual.ran) ? [] : ['resolvers that ran'],
  ].flat();
}

/** Errors whose field is there, as text, and the places that became `null` because of the others. */
function placed({ data, errors = [] }: Answered): { told: readonly string[]; lost: readonly string[] } {
  const told: string[] = [];
  const lost = new Set<string>();
  for (const error of errors) {
    const { path = [] } = error;
    let at = data;
    let depth = 0;
    for (; depth < path.length && at !== null && at !== undefined; depth += 1)
      at = (at as Record<string | number, unknown>)[path[depth] ?? ''];
    if (depth === path.length) told.push(JSON.stringify(error));
    else lost.add(path.slice(0, depth).join('.'));
  }
  return { told, lost: [...lost] };
}

function sorted(texts: readonly string[]): string {
  return texts.toSorted().join('\n');
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, one]) => [name, ordered(one)] as const);
  return Object.fromEntries(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
