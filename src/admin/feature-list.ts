import { policyList } from '../policies/order.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** What of a gateway is in use. */
export interface Features {
  readonly modules: readonly string[];
  /** How many routes there are of each kind of action. */
  readonly actions: Readonly<Record<string, number>>;
  /** How many routes have a policy. */
  readonly policies: Readonly<Record<string, number>>;
  /** The sections of the file. */
  readonly sections: readonly string[];
  /** How many upstreams say something. */
  readonly upstreams: Readonly<Record<string, number>>;
}

/** Tells what a configuration uses, in figures and names of ours. */
export function featuresOf({ table, source }: Snapshot): Features {
  const { value } = source;
  const { upstreams } = value;
  const policies = policyList
    .map(({ name }): [string, number] => [name, table.routes.filter((one) => name in one.policies).length])
    .filter(([, count]) => count > 0);
  return {
    modules: value.modules,
    actions: counted(table.routes.map(({ action }) => action.kind)),
    policies: Object.fromEntries(policies),
    sections: Object.entries(value)
      .filter(([, section]) => section !== undefined)
      .map(([name]) => name),
    upstreams: counted(
      Object.values(upstreams).flatMap((one) =>
        Object.entries(one)
          .filter(([, said]) => said !== undefined)
          .map(([name]) => name),
      ),
    ),
  };
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
