import type { VisitorName } from './visitors.ts';

/** Something that a caller does, over and over. */
export interface Visit {
  readonly as: VisitorName;
  /** Method and path. */
  readonly asks: `${'GET' | 'POST' | 'PUT' | 'HEAD'} /${string}`;
  /** Sent as JSON. */
  readonly body?: object;
  /** How often in a row. */
  readonly times?: number;
  /** Sends a body of so many bytes in small pieces, as a slow client does. */
  readonly trickles?: number;
  /** Leaves after so many ms, whatever has come by then. */
  readonly leavesAfterMs?: number;
}

const graphql = (as: VisitorName, query: string, variables?: object): Visit => ({
  as,
  asks: 'POST /graphql',
  body: { query, ...(variables ? { variables } : {}) },
});

const HOMEPAGE = `query Homepage {
  homepage { user { name tier } feed { items { title author { name } } } notifications { unread latest { text } } }
}`;
const HEADLINES = 'query Headlines($first: Int!) { feed(first: $first) { title author { name } } }';
const ORDER = 'query Order($id: ID!) { order(id: $id) { id status totalCents items { sku quantity } } }';
const PLACE = `mutation PlaceOrder($input: PlaceOrderInput!) {
  placeOrder(input: $input) { ... on Order { id status } ... on OutOfStock { sku available } ... on ExpectedError { code } }
}`;
const items = (sku: string, quantity: number): object => ({ items: [{ sku, quantity }] });

/** What is well, about three times of four: routes of the file, handlers, views, translated gRPC, GraphQL. */
const WELL: readonly Visit[] = [
  { as: 'grace', asks: 'GET /api/v2/users/4' },
  { as: 'linus', asks: 'GET /api/v2/users/5' },
  { as: 'mary', asks: 'GET /api/v2/users/6' },
  { as: 'partner', asks: 'GET /api/v2/users?ids=1,2,4' },
  { as: 'grace', asks: 'GET /api/v2/users/4/feed' },
  { as: 'linus', asks: 'GET /api/v2/users/4/feed' },
  { as: 'nobody', asks: 'GET /api/v2/feed?first=3' },
  { as: 'mary', asks: 'GET /api/v2/profile/6' },
  { as: 'grace', asks: 'GET /api/v2/profile/4' },
  { as: 'clerk', asks: 'POST /api/v2/payments', body: { orderId: 'ord-1006', amountCents: 19_900 } },
  { as: 'partner', asks: 'GET /api/v2/downloads/20000' },
  { as: 'grace', asks: 'GET /api/homepage' },
  { as: 'linus', asks: 'GET /api/homepage?fields=user,notifications' },
  { as: 'mary', asks: 'GET /api/homepage?fields=feed' },
  { as: 'grace', asks: 'GET /api/v1/orders?pageSize=5' },
  { as: 'clerk', asks: 'GET /api/v1/orders?pageSize=20' },
  { as: 'grace', asks: 'GET /api/v1/orders/ord-1006' },
  { as: 'linus', asks: 'POST /api/v1/orders', body: items('MUG-3', 2) },
  { as: 'grace', asks: 'GET /api/v3/orders?pageSize=3' },
  { as: 'grace', asks: 'GET /api/v3/orders/ord-1006' },
  { as: 'mary', asks: 'GET /api/v3/notifications?limit=3' },
  { as: 'clerk', asks: 'GET /demo/reports/daily' },
  { as: 'nobody', asks: 'GET /openapi.json' },
  graphql('grace', HOMEPAGE),
  graphql('linus', HOMEPAGE),
  graphql('mary', HEADLINES, { first: 5 }),
  graphql('grace', ORDER, { id: 'ord-1006' }),
];

/** Who is refused, and why: no credentials, bad ones, no right, a limit, a bad request, nothing there. */
const REFUSED: readonly Visit[] = [
  { as: 'nobody', asks: 'GET /api/v2/users/1' },
  { as: 'late', asks: 'GET /api/v1/orders' },
  { as: 'forger', asks: 'GET /api/v2/users/1' },
  { as: 'stranger', asks: 'GET /api/v2/users/1' },
  { as: 'mary', asks: 'GET /api/v2/payments/none' },
  { as: 'crawler', asks: 'GET /api/v2/feed', times: 7 },
  { as: 'linus', asks: 'POST /api/v1/orders', body: items('MUG-3', 0) },
  { as: 'mary', asks: 'GET /api/v2/users/404' },
  { as: 'crawler', asks: 'GET /wp-login.php' },
  graphql('stranger', 'query Typo { homepage { usr { name } } }'),
  // More than there are, so that it changes nothing for anybody.
  graphql('grace', PLACE, { input: items('CLOCK-9', 4) }),
];

/** What takes long, or is not waited for. */
const SLOW: readonly Visit[] = [
  { as: 'partner', asks: 'PUT /api/v2/uploads/slow.bin', trickles: 20_000 },
  { as: 'clerk', asks: 'GET /demo/reports/yearly' },
  { as: 'grace', asks: 'GET /demo/reports/monthly', leavesAfterMs: 150 },
];

/** All of it, in one order; traffic goes through it in another one each time. */
export const VISITS: readonly Visit[] = [...WELL, ...REFUSED, ...SLOW];
