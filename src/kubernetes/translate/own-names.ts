import { hash } from 'node:crypto';
import type { Json } from '../resource.ts';

/** What routes share by its name: keys of policies, and the key of the name below them. */
const SHARED = { rateLimit: 'bucket', quota: 'name' } as const;
/** Longest name of a quota. */
const LONGEST = 64;
const DIGITS = 10;

/**
 * Policies of a namespace under names of its own: what routes share by a name, which are buckets and quotas, is shared with no
 * route of another namespace, nor with those of the file. Who says other numbers under a name that is taken would keep the other
 * one from being served.
 */
export function withOwnNames(policies: Json, namespace: string): Json {
  const renamed = Object.entries(SHARED).flatMap(([policy, key]) => {
    const said = policies[policy];
    if (typeof said !== 'object' || said === null) return [];
    const own = (rule: unknown): unknown => named(rule, key, namespace);
    return [[policy, Array.isArray(said) ? said.map(own) : own(said)] as const];
  });
  return renamed.length === 0 ? policies : { ...policies, ...Object.fromEntries(renamed) };
}

function named(rule: unknown, key: string, namespace: string): unknown {
  const name = (rule as Json | null)?.[key];
  return typeof name === 'string' ? { ...(rule as Json), [key]: ownName(name, namespace) } : rule;
}

function ownName(name: string, namespace: string): string {
  const whole = `k8s_${namespace}.${name}`;
  if (whole.length <= LONGEST) return whole;
  return `k8s_${hash('sha256', namespace, 'hex').slice(0, DIGITS)}.${name}`;
}
