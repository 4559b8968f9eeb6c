import type { IncomingMessage } from 'node:http';
import type { AskedValues } from './asked-values.ts';
import { isAbsence, type Condition } from './conditions.ts';
import { HostTrees } from './host-trees.ts';
import type { Route } from './route.ts';
import { searchFor, type MatchSubject } from './segment-tree.ts';

/** A field that pages may send without naming it. */
const UNNAMED = 'accept';

/**
 * Finds routes that a preflight could be for, by all but the values of header fields: a browser names the fields of the
 * request that its page has in mind, and does not show what they will say.
 */
export interface PreflightTree {
  /** The route, if all fields that it wants are named or there. */
  find(asked: MatchSubject): Route | undefined;
}

/**
 * Makes the tree of those routes that answer preflights and want header fields, be it to be matched or to be chosen among
 * versions; undefined without any, which costs nothing.
 */
export function preflightTree(routes: readonly Route[]): PreflightTree | undefined {
  const originals = new Map<Route, Route>();
  for (const route of routes) {
    if (route.preflight.length === 0) continue;
    // Fails closed: a preflight brings no cookies, so that what asks for one is not meant by it.
    const conditions = [...route.conditions.map(asNamed), ...choiceOf(route)];
    if (conditions.some(({ place }) => place === 'header')) originals.set({ ...route, conditions }, route);
  }
  if (originals.size === 0) return undefined;
  const tree = new HostTrees([...originals.keys()]);
  return {
    find(asked) {
      const found = tree.find(searchFor(asked, asked.path));
      return found && originals.get(found);
    },
  };
}

/** The fields that a preflight names, in lower case. */
export function namedFields({ headers }: Pick<IncomingMessage, 'headers'>): ReadonlySet<string> {
  const names = String(headers['access-control-request-headers'] ?? '').toLowerCase();
  return new Set(names.split(',').map((name) => name.trim()));
}

// Whatever a field that is named will say may be what the route wants; one that is not named will not be there.
function asNamed(condition: Condition): Condition {
  if (condition.place !== 'header') return condition;
  const holds = (values: AskedValues): boolean =>
    values.isNamed(condition.name) ? !isAbsence(condition) : condition.holds(values);
  return { ...condition, exact: undefined, holds };
}

/** What a version wants that is chosen by a field. */
function choiceOf({ chooser }: Route): Condition[] {
  const name = chooser?.vary;
  if (name === undefined) return [];
  const declared = { present: true };
  const holds = (values: AskedValues): boolean => name === UNNAMED || values.isNamed(name);
  return [
    { place: 'header', name, exact: undefined, key: '', text: name, declared, takes: () => true, holds },
  ];
}
