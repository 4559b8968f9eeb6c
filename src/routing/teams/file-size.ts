import type { Rights } from './include.schema.ts';
import type { Stray } from './strays.ts';
import type { TeamFile } from './team-file.schema.ts';

/** Targets are asked no more often than this: it is the gateway's time. */
const LEAST_INTERVAL_MS = 1000;

/** What of a file of a team is more than it may have: a reload puts all of it together, and everybody waits for that. */
export function sizeStrays({ routes, upstreams }: TeamFile, rights: Rights): Stray[] {
  const { maxRoutes, maxTargets, timeouts } = rights;
  const strays: Stray[] = [];
  if (routes.length > maxRoutes)
    strays.push({
      path: ['routes', maxRoutes],
      message: `expected at most ${maxRoutes} routes, found ${routes.length}; see \`maxRoutes\``,
    });
  const all = Object.entries(upstreams);
  const count = all.reduce((sum, [, { targets }]) => sum + Math.max(1, targets.length), 0);
  if (count > maxTargets)
    strays.push({
      path: ['upstreams'],
      message: `expected at most ${maxTargets} targets, found ${count}; see \`maxTargets\``,
    });
  for (const [name, { health }] of all)
    if (timeouts !== 'any' && health.active !== undefined && health.active.interval < LEAST_INTERVAL_MS)
      strays.push({
        path: ['upstreams', name, 'health', 'active', 'interval'],
        message: `expected at least ${LEAST_INTERVAL_MS}ms; \`timeouts: any\` lets it ask more often`,
      });
  return strays;
}
