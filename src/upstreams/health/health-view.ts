import type { BreakerChange, BreakerState, OpenCause } from '../../policies/circuit-breaker/breaker.ts';
import type { AdaptiveLimit } from '../adaptive/adaptive-limit.ts';
import type { Override, TargetOverrides } from '../overrides/target-overrides.ts';
import type { Target } from '../target.ts';
import type { Upstream } from '../upstream.ts';
import { TargetWatch, type ProbeVerdict } from './target-watch.ts';

/** One target as operators see it. */
export interface TargetView {
  /** `host:port`. */
  readonly target: string;
  readonly available: boolean;
  /** Why it is not, or has no more than one call. */
  readonly reason?: string | undefined;
  readonly inFlight: number;
  /** The adaptive limit, and how many calls wait for an answer; absent without one. */
  readonly concurrency?: { readonly limit: number; readonly waiting: number; readonly usualMs: number };
  readonly weight: number;
  /** Absent unless an operator has taken it out. */
  readonly ejection?: OrderView | undefined;
  /** Absent unless an operator has given it another weight. */
  readonly weightOrder?: (OrderView & { readonly configured: number }) | undefined;
  /** Absent unless an operator has opened its breaker. */
  readonly breakerOrder?: OrderView | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** What probes say; absent without probes. */
  readonly probes?: {
    readonly verdict: ProbeVerdict;
    readonly since: string;
    readonly fault?: string | undefined;
  };
  /** Absent where there is none. */
  readonly breaker?: BreakerView | undefined;
}

/** What an operator has ordered of a target. */
export interface OrderView {
  readonly since: string;
  /** Absent until somebody undoes it. */
  readonly until?: string | undefined;
  readonly by: string;
  readonly reason?: string | undefined;
}

/** The breaker of a target as operators see it. */
export interface BreakerView {
  readonly state: BreakerState;
  /** Why it opened; absent while it is closed. */
  readonly cause?: OpenCause;
  /** How long until it lets a call through, in ms. */
  readonly openForMs?: number;
  /** Whether it opens at the next failure, because another replica's has. */
  readonly suspect: boolean;
  /** How often in a row the target was ejected. */
  readonly ejections: number;
  /** Its last transitions, the latest one last. */
  readonly history: readonly (Omit<BreakerChange, 'at'> & { readonly at: string })[];
}

/** One upstream as operators see it. */
export interface UpstreamView {
  readonly upstream: string;
  readonly targets: readonly TargetView[];
}

/** What there is to be known of upstreams. */
interface Known {
  all(): readonly Upstream[];
  readonly overrides: Pick<TargetOverrides, 'of'>;
}

/** Describes all upstreams, with the health of their targets and what operators have ordered of them. */
export function describeUpstreams(upstreams: Known): UpstreamView[] {
  return upstreams.all().map(({ name, targets }) => ({
    upstream: name,
    targets: targets.map((target) => ({
      ...describeTarget(target),
      ...ordersOf(target, name, upstreams.overrides),
    })),
  }));
}

/** Describes a target of an upstream; undefined where there is none of that name. */
export function describeOne(upstreams: Known, name: string, host: string): TargetView | undefined {
  const upstream = upstreams.all().find((one) => one.name === name);
  const target = upstream?.targets.find((one) => one.host === host);
  return target && { ...describeTarget(target), ...ordersOf(target, name, upstreams.overrides) };
}

function ordersOf(
  { host, configuredWeight: configured }: Target,
  upstream: string,
  overrides: Known['overrides'],
): Pick<TargetView, 'ejection' | 'weightOrder' | 'breakerOrder'> {
  const ejection = overrides.of('ejection', upstream, host);
  const weight = overrides.of('weight', upstream, host);
  const breaker = overrides.of('breaker', upstream, host);
  return {
    ...(ejection && { ejection: orderView(ejection) }),
    ...(weight && { weightOrder: { ...orderView(weight), configured } }),
    ...(breaker && { breakerOrder: orderView(breaker) }),
  };
}

/** An order as operators see it. */
export function orderView({ since, until, by, reason }: Override): OrderView {
  const times = {
    since: new Date(since).toISOString(),
    until: until === undefined ? undefined : new Date(until).toISOString(),
  };
  return { ...times, by, reason };
}

function describeTarget(target: Target): TargetView {
  const { host, available, inFlight, weight, labels, health, adaptive } = target;
  const watch = health instanceof TargetWatch ? health : undefined;
  const { verdict, probeFault, verdictAt } = watch ?? {};
  const reason = target.isWithdrawn ? 'ejected by an operator' : watch?.reason;
  const since = new Date(verdictAt ?? 0).toISOString();
  const probes = verdict && { verdict, since, ...(probeFault === '' ? {} : { fault: probeFault }) };
  return {
    target: host,
    available,
    ...(reason !== undefined && { reason }),
    inFlight,
    ...(adaptive && { concurrency: concurrencyView(adaptive) }),
    weight,
    labels,
    ...(probes && { probes }),
    ...(watch?.breaker && { breaker: breakerView(watch) }),
  };
}

function concurrencyView({ value: limit, waiting, usualMs }: AdaptiveLimit) {
  return { limit, waiting, usualMs: Math.round(usualMs) };
}

function breakerView({ breaker, ejections }: TargetWatch): BreakerView | undefined {
  if (breaker === undefined) return undefined;
  const { state, cause, openForMs, isSuspect, history } = breaker;
  return {
    state,
    ...(state === 'closed' ? {} : { cause }),
    ...(state === 'open' ? { openForMs: Math.ceil(openForMs) } : {}),
    suspect: isSuspect,
    ejections,
    history: history.map(({ at, ...change }) => ({ ...change, at: new Date(at).toISOString() })),
  };
}
