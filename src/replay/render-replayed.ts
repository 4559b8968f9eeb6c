import { KINDS } from './changes.ts';
import type { Replayed } from './replay.ts';

const MOST_ROUTES = 10;

const TITLES: Readonly<Record<(typeof KINDS)[number], string>> = {
  route: 'Another route',
  decision: 'Another decision',
  upstream: 'Another upstream, or other targets',
  request: 'Another request to the upstream',
};

/** Shows what a new configuration would change, by kind. */
export function renderReplayed(found: Replayed): string {
  const { compared, changed, changes, unlisted, unreadable, firstUnreadable, noise, unsampled } = found;
  const lines = [`${counted(compared, 'request')} compared, ${changed} would be treated otherwise`];
  for (const kind of KINDS) {
    const groups = changes.filter((one) => one.kind === kind);
    if (groups.length > 0) lines.push('', TITLES[kind]);
    for (const { count, route, what, from, to, example } of groups) {
      const shown = kind === 'request' ? `${what}: ${from} → ${to}` : what;
      lines.push(
        `  ${count} × ${route}  ${shown}`,
        `      such as ${example.request} (line ${example.line})`,
      );
    }
  }
  if (changed > 0) lines.push('');
  if (unlisted > 0) lines.push(`${unlisted} more changes, of too many kinds to list`);
  if (found.identityChanged)
    lines.push('identity has changed: callers are those that were found out when the sample was recorded');
  if (noise.length > 0) lines.push(`not compared, because it differs by itself: ${noise.join(', ')}`);
  if (unsampled.length > 0) lines.push(`without a request in the sample: ${listed(unsampled)}`);
  if (unreadable > 0)
    lines.push(`${counted(unreadable, 'line')} cannot be replayed; ${firstUnreadable ?? ''}`);
  return `${lines.join('\n')}\n`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function listed(routes: readonly string[]): string {
  const more = routes.length > MOST_ROUTES ? `, and ${routes.length - MOST_ROUTES} more` : '';
  return routes.slice(0, MOST_ROUTES).join(', ') + more;
}
