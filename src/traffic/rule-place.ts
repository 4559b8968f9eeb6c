import { policyList, type PolicyName } from '../policies/order.ts';
import type { Policy } from '../policies/policy.ts';
import type { Problem } from '../problems/problem.ts';
import type { Route } from '../routing/route.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

const FLOOD_LIMIT = 'floodLimit';
const indexes = new WeakMap<Snapshot, ReadonlyMap<string, number>>();

/**
 * Where the configuration says the rule that has refused a request: `gateway.yaml:12:5`. Of a rule that the code declares, the
 * handler; undefined for what no rule has decided.
 *
 * @param route undefined for what was refused before one was found.
 */
export function placeOfRule(
  problem: Problem,
  route: Route | undefined,
  snapshot: Snapshot,
): string | undefined {
  if (problem.by === FLOOD_LIMIT && snapshot.source.value.floodLimit !== undefined)
    return placed([FLOOD_LIMIT], snapshot);
  if (route === undefined) return undefined;
  const policy = policyOf(problem, route);
  if (policy === undefined) return undefined;
  const path = pathOf(policy, route, snapshot);
  if (path === undefined) return route.levels[policy] === 'gateway' ? undefined : route.origin;
  return placed(path, snapshot);
}

function placed(path: readonly (string | number)[], { source: { document } }: Snapshot): string {
  const { file = document.file, line, column } = document.locate(path);
  return `${file}:${line}:${column}`;
}

/** The policy of a route that says no with a code. */
function policyOf({ code, entry }: Problem, { policies }: Route): PolicyName | undefined {
  const able = policyList.filter(
    (one: Policy) => one.refusesWith.includes(code) && policies[one.name as PolicyName] !== undefined,
  );
  const named = able.find(({ name, step }) => (step ?? name) === entry.stage);
  return (named ?? able[0])?.name as PolicyName | undefined;
}

function pathOf(
  policy: PolicyName,
  { id, upstream, levels }: Route,
  snapshot: Snapshot,
): readonly (string | number)[] | undefined {
  switch (levels[policy]) {
    case 'route': {
      const index = indexOf(id, snapshot);
      return index === undefined ? undefined : ['routes', index, 'policies', policy];
    }
    case 'upstream':
      return upstream === undefined ? undefined : ['upstreams', upstream, 'policies', policy];
    case 'defaults':
      return ['defaults', 'policies', policy];
    case 'access':
      return ['access'];
    default:
      return undefined;
  }
}

function indexOf(id: string, snapshot: Snapshot): number | undefined {
  let known = indexes.get(snapshot);
  if (known === undefined) {
    known = new Map(snapshot.source.value.routes.map((route, index) => [route.id ?? '', index]));
    indexes.set(snapshot, known);
  }
  return known.get(id);
}
