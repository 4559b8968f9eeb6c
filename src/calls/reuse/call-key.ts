import { identityHeaders } from '../../exchange/identity-headers.ts';
import { partitionOf, type Principal } from '../../exchange/principal.ts';
import type { Scope } from '../call-plan.ts';

const partitions = new WeakMap<Principal, string>();

/**
 * Makes the key of a run within one call: equal for equal requests that the upstream sees from the same
 * principal, and only for those. The partition holds who the principal is *and* every identity field that is
 * sent, because the answer may depend on any of them: a new role is a new partition.
 *
 * @param request what {@link Call.keyOf} made of the input.
 * @param more what the upstream is told of the principal besides, as JSON; nothing where it is told nothing more.
 */
export function runKey(scope: Scope, principal: Principal | undefined, request: string, more = ''): string {
  // A partition is JSON or nothing, so it has no line break: the first one ends it.
  return `${scope === 'public' ? '' : visiblePartitionOf(principal) + more}\n${request}`;
}

function visiblePartitionOf(principal: Principal | undefined): string {
  if (principal === undefined) return '';
  let partition = partitions.get(principal);
  if (partition === undefined) {
    partition = JSON.stringify([partitionOf(principal), ...identityHeaders(principal)]);
    partitions.set(principal, partition);
  }
  return partition;
}

/** The JSON of a value, with the properties of every object in one order; what JSON cannot say is left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, sorted) ?? '';
}

function sorted(_key: string, value: unknown): unknown {
  return isPlain(value) ? sortedProperties(value, (inner) => inner) : value;
}

/** The same value with the properties of every plain object in one order; bytes and numbers stay as they are. */
export function sortDeep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortDeep);
  return isPlain(value) && !ArrayBuffer.isView(value) ? sortedProperties(value, sortDeep) : value;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sortedProperties(
  value: Readonly<Record<string, unknown>>,
  inner: (value: unknown) => unknown,
): Record<string, unknown> {
  const names = Object.keys(value).sort();
  // Not by assignment: a property may be named `__proto__`.
  return Object.fromEntries(names.map((name) => [name, inner(value[name])]));
}
