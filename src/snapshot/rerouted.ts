import type { RouteTable } from '../routing/route-table.ts';
import { isStep, type Steps } from '../routing/steps.ts';
import type { Route } from '../routing/route.ts';
import { METHODS, sampleOf } from '../routing/fall-through.ts';

/** Requests that another route takes than before. */
export interface Rerouted {
  readonly methods: readonly string[];
  readonly path: string;
  /** The id of the route that took them. */
  readonly from: string;
  /** The id of the one that takes them. */
  readonly to: string;
}

/** Finds, by one request of each shape that either table knows, what another route takes than before. */
export function* rerouted(before: RouteTable, after: RouteTable): Steps<readonly Rerouted[]> {
  const found = new Map<string, { methods: string[]; path: string; from: string; to: string }>();
  const all = [...before.routes, ...after.routes];
  for (const [index, route] of all.entries()) {
    if (isStep(index)) yield;
    for (const method of METHODS) {
      const asked = sampleOf(route, method);
      const [old, now] = [before.peek(asked), after.peek(asked)];
      if (old === undefined || now === undefined || old.id === now.id) continue;
      note(found, route, { method, from: old.id, to: now.id });
    }
  }
  return [...found.values()];
}

function note(
  found: Map<string, { methods: string[]; path: string; from: string; to: string }>,
  { pattern }: Route,
  { method, from, to }: { readonly method: string; readonly from: string; readonly to: string },
): void {
  const key = [pattern.source, from, to].join('\n');
  const one = found.get(key) ?? { methods: [], path: pattern.source, from, to };
  if (!one.methods.includes(method)) one.methods.push(method);
  found.set(key, one);
}
