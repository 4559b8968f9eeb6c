import { TargetWatch } from '../health/target-watch.ts';
import type { Target } from '../target.ts';
import type { Upstream } from '../upstream.ts';

/** Targets of an upstream that somebody goes to, and to no others. */
export interface UpstreamAsked {
  /** Which ones, and who goes there. */
  readonly what: string;
  takes(labels: Readonly<Record<string, string>>): boolean;
}

/**
 * What speaks against taking a target out: that no other one could be called, also of a part that somebody goes to alone, or that more would be out than the upstream's
 * `health.passive.maxEjected` says. Undefined for nothing.
 */
export function ejectionFault(
  { name, targets, options }: Upstream,
  host: string,
  parts: readonly UpstreamAsked[] = [],
): string | undefined {
  const others = targets.filter((one) => one.host !== host);
  if (!others.some(canServe))
    return `without ${host} no target of ${name} could be called; \`force\` takes it out all the same`;
  const own = targets.filter((one) => one.host === host);
  const isLastOf = ({ takes }: UpstreamAsked): boolean =>
    own.some(({ labels }) => takes(labels)) && !others.some((one) => takes(one.labels) && canServe(one));
  const last = parts.find(isLastOf);
  if (last !== undefined)
    return `without ${host} no target of ${name} could be called of those ${last.what}; \`force\` takes it out all the same`;
  const { passive } = options.health;
  if (passive === undefined) return undefined;
  const most = Math.max(1, Math.floor(passive.maxEjected * targets.length));
  const out = others.filter(isOut).length + 1;
  if (out <= most) return undefined;
  return `${out} of ${targets.length} targets of ${name} would be out, and maxEjected allows ${most}; \`force\` takes it out all the same`;
}

// Being full passes by itself, within moments.
function canServe({ isWithdrawn, health, breaker }: Target): boolean {
  return !isWithdrawn && health.available && (breaker === undefined || breaker.available);
}

function isOut({ isWithdrawn, health }: Target): boolean {
  return isWithdrawn || (health instanceof TargetWatch && health.isOut);
}
