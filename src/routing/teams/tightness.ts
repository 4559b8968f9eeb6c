import { isDeepStrictEqual } from 'node:util';
import { undeclaredPolicies } from '../../policies/order.ts';

type Options = Readonly<Record<string, unknown>>;

/** Whether options are at least as strict as others; the others are undefined where nobody says any. */
type IsTight = (said: never, bound: never) => boolean;

/**
 * Whether what a team says of a policy is as strict as a bound, or stricter. Fails closed: where that cannot be told, what a bound
 * is given for has to be said as the bound says it.
 *
 * @param bound what the gateway says; undefined where it says nothing.
 */
export function isTight(policy: string, said: unknown, bound: unknown): boolean {
  const usual = boundOf(policy, bound);
  if (usual === 'any' || usual === 'off' || isDeepStrictEqual(said, usual)) return true;
  if (said === 'off') return usual === undefined;
  return judged(policy, said, usual);
}

// One that is switched off leaves nothing to keep to; one that lets somebody in does not.
function boundOf(policy: string, bound: unknown): unknown {
  if (bound === 'off') return OPENING.has(policy) ? undefined : 'off';
  return bound ?? (undeclaredPolicies as Options)[policy];
}

/** What lets in who would not be, or does for a route what others pay for: nobody says it without a bound. */
const OPENING: ReadonlySet<string> = new Set(['authentication', 'cors', 'callerPriority', 'loadShedding']);

function judged(policy: string, said: unknown, bound: unknown): boolean {
  const judge = JUDGES[policy];
  if (judge !== undefined) return judge(said as never, bound as never);
  return bound === undefined && !OPENING.has(policy);
}

const CLASSES: readonly unknown[] = ['low', 'normal', 'high', 'critical'];
const atMost = (said: number, bound: number | undefined): boolean => bound === undefined || said <= bound;

const JUDGES: Readonly<Record<string, IsTight>> = {
  deadline: atMost,
  bodyLimit: atMost,
  bodyIdle: atMost,
  authentication: (said: Options | 'public', bound: Options | 'public' | undefined) =>
    bound === 'public' || (said !== 'public' && (bound === undefined || asksAsMuch(said, bound))),
  authorization: (said: Options, bound: Options | undefined) => bound === undefined || needsAll(said, bound),
  cors: (said: Options, bound: Options | undefined) => bound !== undefined && isNarrower(said, bound),
  rateLimit: (said: readonly Options[], bound: readonly Options[] | undefined) =>
    (bound ?? []).every((rule) => said.some((one) => limitsAsMuch(one, rule))),
  quota: (said: readonly Options[], bound: readonly Options[] | undefined) =>
    (bound ?? []).every((rule) =>
      said.some((one) => sameBut(one, rule, ['limit']) && isLess(one, rule, 'limit')),
    ),
  concurrency: (said: readonly Options[], bound: readonly Options[] | undefined) =>
    said.every(
      (one) => one['scope'] !== 'gateway' || bound?.some((rule) => isDeepStrictEqual(rule, one)) === true,
    ) &&
    (bound ?? []).every((rule) =>
      said.some((one) => sameBut(one, rule, ['max', 'queue', 'wait']) && isLess(one, rule, 'max')),
    ),
  loadShedding: (said: Options, bound: Options | undefined) =>
    CLASSES.indexOf(said['priority']) <= CLASSES.indexOf(bound?.['priority'] ?? 'normal'),
};

function asksAsMuch(said: Options, bound: Options): boolean {
  const { schemes, optional, dpop, expiryGrace, ...rest } = said;
  const { schemes: allowed, optional: mayBeNobody, dpop: needed, expiryGrace: grace, ...others } = bound;
  if (optional === true && mayBeNobody !== true) return false;
  if (needed !== undefined && dpop !== needed) return false;
  const isAsLong = expiryGrace === grace || (typeof expiryGrace === 'number' && isMost(expiryGrace, grace));
  return isAsLong && isDeepStrictEqual(rest, others) && isWithin(schemes, allowed);
}

function isMost(said: number, bound: unknown): boolean {
  return bound === 'unlimited' || (typeof bound === 'number' && said <= bound);
}

function isWithin(said: unknown, allowed: unknown): boolean {
  if (said === undefined || allowed === undefined) return said === allowed;
  return (said as readonly unknown[]).every((one) =>
    (allowed as readonly unknown[]).some((other) => isDeepStrictEqual(one, other)),
  );
}

// All that is asked for is still asked for; more may be.
function needsAll({ mode, ...said }: Options, { mode: boundMode, ...bound }: Options): boolean {
  if (mode === 'shadow' && boundMode !== 'shadow') return false;
  return Object.entries(bound).every(([key, wanted]) => {
    const own = said[key];
    if (own === undefined) return wanted === undefined;
    if (key.startsWith('any')) return isWithin(own, wanted);
    return key.startsWith('all') ? isWithin(wanted, own) : isDeepStrictEqual(own, wanted);
  });
}

function isNarrower(said: Options, bound: Options): boolean {
  const isFlagged = (key: string): boolean => said[key] === true && bound[key] !== true;
  if (isFlagged('credentials') || isFlagged('privateNetwork')) return false;
  const isAll = bound['origins'] === '*';
  if (!isAll && (said['origins'] === '*' || !isWithin(said['origins'], bound['origins']))) return false;
  return ['methods', 'headers', 'exposedHeaders'].every(
    (key) => bound[key] === undefined || (said[key] !== undefined && isWithin(said[key], bound[key])),
  );
}

const NUMBERS = [
  'rate',
  'per',
  'burst',
  'name',
  'bucket',
  'cost',
  'perMessage',
  'mode',
  'onStoreError',
] as const;

function limitsAsMuch(said: Options, bound: Options): boolean {
  const stays = ['bucket', 'cost', 'perMessage', 'mode', 'onStoreError'] as const;
  if (!sameBut(said, bound, NUMBERS) || stays.some((key) => !isDeepStrictEqual(said[key], bound[key])))
    return false;
  if (said['rate'] === undefined || bound['rate'] === undefined) return isDeepStrictEqual(said, bound);
  const perMs = (one: Options): number => (one['rate'] as number) / (one['per'] as number);
  return perMs(said) <= perMs(bound) && isLess(said, bound, 'burst');
}

function isLess(said: Options, bound: Options, key: string): boolean {
  return (said[key] as number) <= (bound[key] as number);
}

function sameBut(one: Options, other: Options, keys: readonly string[]): boolean {
  const rest = (options: Options): Options =>
    Object.fromEntries(
      Object.entries(options).filter(([key, value]) => !keys.includes(key) && value !== undefined),
    );
  return isDeepStrictEqual(rest(one), rest(other));
}
