import { createHash } from 'node:crypto';

/** One page of the operators' listener. */
export interface AdminPage {
  readonly path: string;
  /** What it shows, in a sentence. */
  readonly shows: string;
}

/** All pages of the operators' listener, in the order in which they are listed. */
export const ADMIN_PAGES: readonly AdminPage[] = [
  { path: '/console/', shows: 'All of this for a browser, live.' },
  { path: '/metrics', shows: 'All metrics, of all workers, in the format of Prometheus.' },
  {
    path: '/routes',
    shows: 'The compiled routes of both doors as JSON, with the policies in force on each.',
  },
  {
    path: '/traffic',
    shows:
      'How it is just now: rates, worst routes, trouble; below it routes, upstreams, operations, views and callers with their history.',
  },
  {
    path: '/exchanges',
    shows: 'Requests that were refused, failed or slow: why, where that is said, and their access lines.',
  },
  { path: '/stream', shows: 'The same live, as server-sent events: ?view=overview.' },
  {
    path: '/discovery',
    shows: 'Where upstreams learn their targets from, how those sources are, and which targets are in use.',
  },
  {
    path: '/upstreams',
    shows:
      'The targets of all upstreams: which are available and why others are not, probes, breakers and their history.',
  },
  {
    path: '/config',
    shows: 'Since when the configuration is in force, and what became of the last reload, with its faults.',
  },
  {
    path: '/config/history',
    shows:
      'The configurations that the gateway was given, at /config/diff?from=&to= how two differ; POST /config/reload and /config/rollback put one into force.',
  },
  {
    path: '/kubernetes',
    shows:
      'The cluster that routes come from: which kinds are followed, and how that is; at /kubernetes/objects what became of each object, and why.',
  },
  {
    path: '/overrides',
    shows:
      'What operators have ordered of targets and holds now: taken out for a time, another weight, a breaker opened.',
  },
  {
    path: '/changes',
    shows:
      'What has changed lately, as one time line: reloads, orders, breakers, ejections, discovery, canaries.',
  },
  {
    path: '/support-bundle',
    shows: 'All that somebody needs who is asked for help, as one document, without secrets.',
  },
  {
    path: '/workers',
    shows:
      'The processes that serve here: since when, and how they are; an order restarts one after the other.',
  },
  {
    path: '/explain',
    shows:
      'What would become of a request: route, policies, target and what is sent on, without sending anything.',
  },
  {
    path: '/canaries',
    shows:
      'The rollouts of routes with a canary as JSON: where they stand, what was measured, and every change.',
  },
  {
    path: '/keys',
    shows:
      'API keys, page by page, and when they were last used; orders issue, change, rotate and revoke them.',
  },
  {
    path: '/revocations',
    shows:
      'How many credentials are revoked, and whether all are known; a POST revokes, a DELETE takes it back.',
  },
  {
    path: '/quotas',
    shows:
      'The quotas of routes, with ?subject= what somebody has used of them, and at /quotas/subjects?quota= who has used something; a POST to /quotas/reset resets.',
  },
  {
    path: '/tiers',
    shows:
      'The tiers in force and where each is said, at /tiers/subjects who is of which; a POST to /tiers/limits or /tiers/subjects changes.',
  },
  {
    path: '/record',
    shows: 'Whether exchanges are recorded; a POST records some, without secrets, and answers with them.',
  },
  {
    path: '/cache',
    shows: 'How full the store of answers is; `POST /cache/purge` purges by key, prefix and tag.',
  },
  {
    path: '/whoami',
    shows: 'Who asks, and what it may do; a POST to /session gives a page a session for a token.',
  },
  { path: '/openapi.json', shows: 'The contract of this listener, as OpenAPI 3.1.' },
  {
    path: '/log-level',
    shows: 'The level of the log; a PUT changes it for a while, and a DELETE goes back, in all workers.',
  },
];

const ELSEWHERE = 'Liveness and readiness are on the clients’ port: /health/live and /health/ready.';

const STYLE = `
  :root { color-scheme: light dark; --ground: light-dark(#f5f6f8, #14161b); --panel: light-dark(#fff, #1d2027);
    --line: light-dark(#dcdfe5, #343944); --text: light-dark(#1b1f27, #e8eaf0); --quiet: light-dark(#5a6272, #a2aabb);
    --accent: light-dark(#1f4fd1, #8fb0ff); font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0 auto; padding: 3rem 1.5rem; max-width: 44rem; background: var(--ground); color: var(--text); }
  h1 { margin: 0; font-size: 1.6rem; letter-spacing: -0.02em; }
  p { margin: 0.25rem 0; color: var(--quiet); }
  ul { margin: 1.5rem 0; padding: 0; list-style: none; display: grid; gap: 0.75rem; }
  a { display: block; padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: 0.6rem;
    background: var(--panel); color: inherit; text-decoration: none; }
  a:hover, a:focus-visible { border-color: var(--accent); outline: none; }
  strong { color: var(--accent); font: 600 1rem ui-monospace, monospace; }`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** The header fields of the index: no script, and no style but its own. */
export const INDEX_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  vary: 'accept',
};

/** The index as text, for a terminal. */
export function indexText(pages: readonly AdminPage[] = ADMIN_PAGES): string {
  const width = Math.max(...pages.map(({ path }) => path.length));
  const lines = pages.map(({ path, shows }) => `  ${path.padEnd(width)}  ${shows}`);
  return ['Gatehouse: the operators’ listener', '', ...lines, '', ELSEWHERE, ''].join('\n');
}

/** The index as a page, for a browser. */
export function indexPage(pages: readonly AdminPage[] = ADMIN_PAGES): string {
  const items = pages.map(
    ({ path, shows }) => `<li><a href="${path}"><strong>${path}</strong><p>${shows}</p></a></li>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Operators · Gatehouse</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
<h1>Gatehouse</h1>
<p>The operators’ listener.</p>
<ul>${items.join('')}</ul>
<p>${ELSEWHERE}</p>
</html>
`;
}
