import { durationText } from '../../config/units.ts';
import type { LiveTierBook } from './live-tiers.redis.ts';
import type { TierSubjectQuery } from './tier-order.ts';
import type { TierLimit, Tiers } from './tiers.schema.ts';

/** A limit as a file would say it. */
export type ShownLimit = 'off' | { readonly rate: number; readonly per: string; readonly burst: number };

/** A tier, and where what is in force is said. */
export interface ShownTier {
  readonly tier: string;
  readonly limit: ShownLimit;
  readonly from: 'file' | 'redis';
  /** What the file says, where something else is in force. */
  readonly file?: ShownLimit;
  /** Tenants that the file lists. */
  readonly tenants: number;
  /** Those of whom Redis says that they are of it. */
  readonly subjects: number;
}

/** Somebody for whom something is said. */
export interface ShownSubject {
  readonly subject: string;
  readonly tier?: { readonly name: string; readonly from: 'file' | 'redis' };
  readonly limit?: { readonly limit: ShownLimit; readonly from: 'redis' };
}

const NOTHING: LiveTierBook = { tiers: new Map(), limits: new Map(), overrides: new Map() };

/** A limit as a file would say it. */
export function shownLimit(limit: TierLimit): ShownLimit {
  if (limit === 'off') return limit;
  const { rate, per, burst } = limit;
  return { rate, per: durationText(per), burst };
}

/** The tiers that are in force, by name. */
export function shownTiers(ofFile: Tiers, { tiers, limits }: LiveTierBook = NOTHING): readonly ShownTier[] {
  const counts = new Map<string, number>();
  for (const tier of tiers.values()) counts.set(tier, (counts.get(tier) ?? 0) + 1);
  return [...new Set([...Object.keys(ofFile), ...limits.keys()])].toSorted().map((tier) => {
    const [said, live] = [Object.hasOwn(ofFile, tier) ? ofFile[tier] : undefined, limits.get(tier)];
    return {
      tier,
      limit: shownLimit(live ?? said ?? 'off'),
      from: live === undefined ? 'file' : 'redis',
      ...(live === undefined || said === undefined ? {} : { file: shownLimit(said) }),
      tenants: said === undefined || said === 'off' ? 0 : said.tenants.length,
      subjects: counts.get(tier) ?? 0,
    };
  });
}

/** A page of those for whom something is said, in the order of their names, and where the next one begins. */
export function shownSubjects(
  ofFile: Tiers,
  { tiers, overrides }: LiveTierBook = NOTHING,
  { subject, tier, after = '', limit }: TierSubjectQuery,
): { readonly subjects: readonly ShownSubject[]; readonly next?: string } {
  const listed = listedTenants(ofFile);
  const names = [...new Set([...listed.keys(), ...tiers.keys(), ...overrides.keys()])];
  const all = names
    .filter((name) => name > after && (subject === undefined || name === subject))
    .toSorted()
    .map((name) => shownSubject(name, { listed, tiers, overrides }))
    .filter((one) => tier === undefined || one.tier?.name === tier);
  const subjects = all.slice(0, limit);
  const last = subjects.at(-1)?.subject;
  return { subjects, ...(all.length > limit && last !== undefined ? { next: last } : {}) };
}

function shownSubject(
  subject: string,
  {
    listed,
    tiers,
    overrides,
  }: Pick<LiveTierBook, 'tiers' | 'overrides'> & { listed: ReadonlyMap<string, string> },
): ShownSubject {
  const [live, said, limit] = [tiers.get(subject), listed.get(subject), overrides.get(subject)];
  const name = live ?? said;
  return {
    subject,
    ...(name === undefined ? {} : { tier: { name, from: live === undefined ? 'file' : 'redis' } }),
    ...(limit === undefined ? {} : { limit: { limit: shownLimit(limit), from: 'redis' } }),
  };
}

function listedTenants(ofFile: Tiers): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(ofFile).flatMap(([name, tier]) =>
      tier === 'off' ? [] : tier.tenants.map((tenant) => [`tenant:${tenant}`, name] as const),
    ),
  );
}
