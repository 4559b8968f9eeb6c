import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGES } from './pages.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface SidebarItem {
  readonly text: string;
  readonly link: string;
}
export interface SidebarGroup {
  readonly text: string;
  readonly collapsed: boolean;
  readonly items: readonly SidebarItem[];
}

/** Pages by task; of `docs/` where no folder is said. A second word is what stands in the sidebar in place of the title. */
const TASKS: Readonly<Record<string, readonly (string | readonly [string, string])[]>> = {
  Start: [
    ['/README.md', 'What it is'],
    ['README.md', 'Pages by task'],
    ['tour.md', 'The tour'],
    ['package.md', 'A project of your own'],
    ['development.md', 'Development'],
    'life-of-a-request.md',
    'glossary.md',
  ],
  Build: [
    'routing.md',
    ['rewriting.md', 'Rewriting'],
    ['redirects-and-fixed-answers.md', 'Redirects, fixed answers'],
    ['aggregation.md', 'Aggregation in YAML'],
    'modules.md',
    'calls.md',
    'views.md',
    'graphql.md',
    ['graphql-engines.md', 'GraphQL engines'],
    ['transcoding.md', 'REST for gRPC'],
    ['passing-grpc.md', 'gRPC as it is'],
    'websocket.md',
    'versions.md',
    ['contracts.md', 'Contracts for clients'],
  ],
  Operate: [
    'operations.md',
    'kubernetes.md',
    ['teams.md', 'Many teams'],
    'workers.md',
    'redis.md',
    'discovery.md',
    ['kubernetes-gateway-api.md', 'Kubernetes as a source'],
    'load-balancing.md',
    'health.md',
    'hedging.md',
    'overload.md',
    'quotas.md',
    'logs.md',
    'observability.md',
    'tracing.md',
    'traffic.md',
    ['console.md', 'The console'],
    ['performance.md', 'Performance'],
  ],
  Secure: [
    ['securing.md', 'Before strangers may come'],
    ['/SECURITY.md', 'What is defended'],
    ['fail-closed.md', 'What fails closed'],
    ['login.md', 'Log-in of browsers'],
    ['introspection.md', 'Introspection'],
    'client-certificates.md',
    ['dpop.md', 'DPoP'],
    'api-keys.md',
    'revocation.md',
    ['identity-for-services.md', 'Identity for services'],
    ['admin-api.md', "The operators' API"],
    'audit.md',
  ],
  Test: [
    ['testing.md', 'Testing modules'],
    'route-tests.md',
    'explain.md',
    'ask-before-you-change.md',
    'mirroring.md',
    'canary.md',
  ],
  Upgrade: ['upgrading.md', ['schema-changes.md', 'Breaks of GraphQL'], ['/CHANGELOG.md', 'Changes']],
  Migrate: [
    ['importing.md', 'From Kong, OpenAPI'],
    ['migrating.md', 'From KrakenD, Express Gateway, Apollo'],
    ['gateway-api.md', 'From the Gateway API'],
  ],
  Reference: [
    ['configuration.md', 'Configuration'],
    ['command-line.md', 'Command line'],
    'errors.md',
    'metrics.md',
    ['policies/README.md', 'Policies, in order'],
  ],
};

/** The sidebar of the site. */
export const SIDEBAR: readonly SidebarGroup[] = [
  ...Object.entries(TASKS).map(([text, pages]) => ({ text, collapsed: false, items: pages.map(itemOf) })),
  { text: 'Policies', collapsed: true, items: itemsUnder('docs/policies/') },
  {
    text: 'Change it',
    collapsed: true,
    items: [
      itemOf(['/CONTRIBUTING.md', 'Contributing']),
      itemOf(['/src/README.md', 'The map of src']),
      itemOf(['adr/README.md', 'The decisions']),
      ...itemsUnder('bench/', true),
    ],
  },
];

function itemOf(page: string | readonly [string, string]): SidebarItem {
  const [path, text] = typeof page === 'string' ? [page, undefined] : page;
  const file = path.startsWith('/') ? path.slice(1) : `docs/${path}`;
  return { text: text ?? titleOf(file), link: linkOf(file) };
}

function itemsUnder(folder: string, withIndex = false): SidebarItem[] {
  return PAGES.filter((page) => page.startsWith(folder))
    .filter((page) => withIndex || page !== `${folder}README.md`)
    .map((file) => ({ text: titleOf(file), link: linkOf(file) }));
}

function linkOf(file: string): string {
  return `/${file.replace(/README\.md$/, '').replace(/\.md$/, '')}`;
}

function titleOf(file: string): string {
  const [, title] = /^# (.+)$/m.exec(readFileSync(join(ROOT, file), 'utf8')) ?? [];
  if (title === undefined) throw new Error(`${file} has no title`);
  return title.replaceAll('`', '');
}
