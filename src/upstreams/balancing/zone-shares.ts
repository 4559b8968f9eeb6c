/** What one zone could serve. */
export interface ZoneWeight {
  readonly zone: string;
  /** Share of its targets that can be chosen, added up. */
  readonly weight: number;
}

/**
 * Spreads traffic over zones so that it stays where the gateway is, and every target still gets its share: as long as
 * gateways stand in equal numbers in every zone, the local zone keeps all if it has at least its part of the targets.
 * Else it keeps what its targets can bear, and the rest goes where there are more targets than gateways.
 *
 * @param zones that have targets, whether any of them can be chosen or not.
 * @returns shares in the same order, which add up to 1; undefined when zones make no difference.
 */
export function zoneShares(zones: readonly ZoneWeight[], local: string): readonly number[] | undefined {
  const total = zones.reduce((sum, { weight }) => sum + weight, 0);
  const own = zones.find(({ zone }) => zone === local)?.weight ?? 0;
  if (zones.length < 2 || total === 0 || own === 0) return undefined;
  const fair = 1 / zones.length;
  const kept = Math.min(1, own / total / fair);
  const surplus = zones.map(({ zone, weight }) => (zone === local ? 0 : Math.max(0, weight / total - fair)));
  const spare = surplus.reduce((sum, one) => sum + one, 0);
  return zones.map(({ zone }, index) => {
    if (zone === local) return kept;
    return spare === 0 ? 0 : ((1 - kept) * (surplus[index] as number)) / spare;
  });
}
