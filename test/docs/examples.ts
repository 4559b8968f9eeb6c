import { parse } from 'yaml';
import { policyList } from '../../src/policies/order.ts';

/** A block of YAML of a page. */
export interface Example {
  /** Where it begins. */
  readonly line: number;
  readonly value: Readonly<Record<string, unknown>>;
  /** Files that it includes, as later blocks of the page say them. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

type Section = Readonly<Record<string, unknown>>;

/** The blocks of YAML of a page that are for the gateway. */
export function examplesOf(page: string): Example[] {
  const examples: Example[] = [];
  const lines = page.split('\n');
  for (let at = lines.indexOf('```yaml'); at >= 0; at = lines.indexOf('```yaml', at + 1)) {
    const end = lines.indexOf('```', at);
    const text = lines
      .slice(at + 1, end)
      .join('\n')
      .replaceAll('service: …', 'service: shop.v1.Orders');
    const value = parse(text) as Section;
    // Other formats: of Kubernetes, and route tests.
    if (value['apiVersion'] === undefined && value['tests'] === undefined)
      examples.push({ line: at + 1, value, files: value['include'] === undefined ? [] : filesOf(page) });
  }
  return examples;
}

const FILE = /^```yaml file=(\S+)\n(.*?)^```$/gms;

function filesOf(page: string): Example['files'] {
  return [...page.matchAll(FILE)].map(([, name = '', text = '']) => ({ name, text }));
}

const TARGETS = { targets: ['http://127.0.0.1:1'] };
const SHOP = {
  protocol: 'grpc',
  descriptorSet: 'config/descriptors/shop.binpb',
  targets: ['grpc://127.0.0.1:1'],
};
/** What examples take for granted. */
const UPSTREAMS: Readonly<Record<string, object>> = {
  ...Object.fromEntries(
    'catalog chat feed products search users users-next users-v1 users-v2 users-v3'
      .split(' ')
      .map((name) => [name, TARGETS]),
  ),
  notifications: SHOP,
  orders: TARGETS,
};
const KEYS: ReadonlySet<string> = new Set(policyList.map(({ name }) => name));

/** A whole configuration around an example, which says only what its page is about. */
export function configOf(example: Section): string {
  const { policies, calls, order, balancing, sticky, grpc, ...rest } = example;
  // What is said to be a whole file has keys of the top level only, one of which is called as a policy is.
  const isOwn = (key: string): boolean => KEYS.has(key) && !('version' in example);
  const own = Object.fromEntries(Object.entries(rest).filter(([key]) => isOwn(key)));
  const top = Object.fromEntries(Object.entries(rest).filter(([key]) => !isOwn(key) && key !== 'modules'));
  const routes: unknown[] = (top['routes'] as unknown[] | undefined) ?? [];
  const shown = { id: 'shown', match: { path: '/shown/{id}' } };
  const text = JSON.stringify(example);
  if (policies !== undefined || Object.keys(own).length > 0)
    routes.push({ ...shown, upstream: 'users', policies: { ...(policies as object), ...own } });
  if (calls !== undefined) routes.push({ ...shown, aggregate: { calls } });
  if (order !== undefined) {
    const cart = { upstream: 'users', path: '/carts/{id}', required: true };
    // The sample has no method for several orders.
    routes.push({ ...shown, aggregate: { calls: { cart, order: { ...order, batch: undefined } } } });
  }
  if (grpc !== undefined) routes.push({ id: 'shown', upstream: 'orders', grpc });
  const upstreams: Record<string, object> = { ...UPSTREAMS };
  if (/"grpc"|passGrpc/.test(text)) upstreams['orders'] = SHOP;
  if (balancing !== undefined || sticky !== undefined) upstreams['users'] = { ...TARGETS, balancing, sticky };
  for (const [name, said] of Object.entries((top['upstreams'] ?? {}) as Record<string, object>)) {
    const isPlaced = 'targets' in said || 'discovery' in said;
    upstreams[name] = isPlaced ? said : { ...upstreams[name], ...said };
  }
  if (upstreams['orders'] !== SHOP && /"grpc":\{/.test(text))
    upstreams['orders'] = { ...SHOP, ...upstreams['orders'] };
  return JSON.stringify({
    defaults: { policies: { authentication: { schemes: ['jwt', 'apiKey'] } } },
    identity: {
      issuers: [{ issuer: 'https://id.test', jwks: 'https://id.test/jwks', audiences: ['api'] }],
      apiKeys: [{ sha256: '0'.repeat(64), clientId: 'app' }],
    },
    ...top,
    version: 1,
    upstreams,
    routes: routes.map(
      (route) =>
        JSON.parse(
          JSON.stringify(route).replace('config/orders.yaml', 'test/support/openapi/orders.yaml'),
        ) as object,
    ),
  });
}
