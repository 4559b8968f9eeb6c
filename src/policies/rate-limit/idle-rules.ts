import type { IdleOptions, RouteKind } from '../policy-facts.ts';
import { idleCost } from './limit-cost.schema.ts';
import { keyName, type LimitKey } from './limit-key.schema.ts';
import type { RateLimitRule } from './rate-limit.policy.ts';
import { placeOf } from './rule-faults.ts';

/** Methods that a route takes though nobody lists them. */
const IMPLIED: ReadonlySet<string> = new Set(['HEAD', 'OPTIONS']);

/** What of the limits of a route does nothing there. */
export function idleRule(rules: readonly RateLimitRule[], at: RouteKind): IdleOptions | undefined {
  if (at.kind === 'field' && rules.some(({ perMessage }) => perMessage !== undefined))
    return { key: ['perMessage'], reason: 'messages are charged where WebSockets are forwarded' };
  const cost = idleCost(rules, at);
  if (cost !== undefined) return cost;
  for (const [index, rule] of rules.entries()) {
    const idle = idleMethod(rule, at) ?? idleKey(rule, at);
    if (idle !== undefined)
      return { key: [...placeOf(rules, index), ...idle.key], reason: idle.reason, isHarmless: true };
  }
  return undefined;
}

type Idle = Pick<IdleOptions, 'key' | 'reason'>;

function idleMethod({ cost }: RateLimitRule, { methods }: RouteKind): Idle | undefined {
  if (typeof cost !== 'object' || !('methods' in cost) || methods.length === 0) return undefined;
  const idle = Object.keys(cost.methods).find((name) => !methods.includes(name) && !IMPLIED.has(name));
  if (idle === undefined) return undefined;
  return { key: ['cost', 'methods', idle], reason: `the route takes ${methods.join(', ')}` };
}

/** A key of which nobody who calls there has anything, so that all are counted by address. */
function idleKey({ key }: RateLimitRule, { schemes }: RouteKind): Idle | undefined {
  if (schemes === undefined) return undefined;
  const missing = [key].flat().find((part) => !canBeKnown(part, schemes));
  if (missing === undefined) return undefined;
  const who = schemes.length === 0 ? 'anybody may call' : `callers are known by ${schemes.join(', ')}`;
  return { key: ['key'], reason: `${who}, so that nobody has \`${keyName(missing)}\`; say \`key: ip\`` };
}

function canBeKnown(part: LimitKey, schemes: readonly string[]): boolean {
  if (part === 'apiKey') return schemes.includes('apiKey');
  return schemes.length > 0 || (part !== 'tenant' && keyName(part) !== 'claim');
}
