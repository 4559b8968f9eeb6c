import type { JSX } from 'preact';
import { AccessPage } from '../pages/access.tsx';
import { CanariesPage } from '../pages/canaries.tsx';
import { CanaryPage } from '../pages/canary.tsx';
import { ChangesPage } from '../pages/changes.tsx';
import { ClientPage } from '../pages/client.tsx';
import { ConfigPage } from '../pages/config.tsx';
import { ExplainPage } from '../pages/explain.tsx';
import { GenerationPage } from '../pages/generation.tsx';
import { GraphqlPage } from '../pages/graphql.tsx';
import { LimitsPage } from '../pages/limits.tsx';
import { OperationPage } from '../pages/operation.tsx';
import { OverviewPage } from '../pages/overview.tsx';
import { ProcessPage } from '../pages/process.tsx';
import { RequestPage } from '../pages/request.tsx';
import { RequestsPage } from '../pages/requests.tsx';
import { RoutePage } from '../pages/route.tsx';
import { RoutesPage } from '../pages/routes.tsx';
import { UpstreamPage } from '../pages/upstream.tsx';
import { UpstreamsPage } from '../pages/upstreams.tsx';
import { ViewPage } from '../pages/view.tsx';

/** A page of the console. */
export interface ConsolePage {
  readonly title: string;
  readonly content: JSX.Element;
}

const LISTS: Readonly<Record<string, readonly [title: string, Page: () => JSX.Element]>> = {
  '': ['Overview', OverviewPage],
  routes: ['Routes', RoutesPage],
  upstreams: ['Upstreams', UpstreamsPage],
  graphql: ['GraphQL', GraphqlPage],
  limits: ['Limits', LimitsPage],
  requests: ['Requests', RequestsPage],
  canaries: ['Canaries', CanariesPage],
  config: ['Configuration', ConfigPage],
  changes: ['Changes', ChangesPage],
  explain: ['Explain', ExplainPage],
  access: ['Access', AccessPage],
  process: ['Process', ProcessPage],
};

const ITEMS: Readonly<Record<string, (props: { readonly id: string }) => JSX.Element>> = {
  routes: RoutePage,
  upstreams: UpstreamPage,
  graphql: OperationPage,
  views: ViewPage,
  clients: ClientPage,
  requests: RequestPage,
  canaries: CanaryPage,
  config: GenerationPage,
};

/** The page of a path; undefined where there is none. */
export function pageFor([place = '', id, ...more]: readonly string[]): ConsolePage | undefined {
  if (more.length > 0) return undefined;
  if (id !== undefined) {
    const Item = Object.hasOwn(ITEMS, place) ? ITEMS[place] : undefined;
    return Item && { title: id, content: <Item key={`${place}/${id}`} id={id} /> };
  }
  const [title, Page] = (Object.hasOwn(LISTS, place) ? LISTS[place] : undefined) ?? [];
  return Page && { title: title ?? '', content: <Page key={place} /> };
}
