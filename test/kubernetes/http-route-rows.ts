/** One field of an HTTPRoute: a rule that says it, and requests that show that it is served. */
export interface RouteRow {
  /** The field, as the page names it. */
  readonly field: string;
  /** The first rule; its `backendRefs` are `a` unless it says others. */
  readonly rule?: Readonly<Record<string, unknown>>;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly asks: readonly RowAsk[];
}

/** A request, and what comes of it. */
export interface RowAsk {
  readonly path: string;
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly times?: number;
  readonly status?: number;
  /** What the service was asked, by name, path, host and fields; or how often which one was. */
  readonly body?: object;
  readonly answer?: Readonly<Record<string, string>>;
  readonly counts?: Readonly<Record<string, number>>;
}

const GONE = { status: 404 };
type Rule = Readonly<Record<string, unknown>>;
const path = (type: string, value: string): Rule => ({ matches: [{ path: { type, value } }] });
const filter = (type: string, key: string, options: object): Rule => ({
  filters: [{ type, [key]: options }],
});

/** The table of what is served of HTTPRoutes. The page of the documentation lists the same fields. */
export const ROWS: readonly RouteRow[] = [
  {
    field: 'hostnames',
    spec: { hostnames: ['api.test', '*.apps.test'] },
    asks: [
      { path: '/', host: 'api.test' },
      { path: '/', host: 'x.y.apps.test' },
      { path: '/', host: 'apps.test', ...GONE },
      { path: '/', host: 'other.test', ...GONE },
    ],
  },
  {
    field: 'matches[].path Exact',
    rule: path('Exact', '/one'),
    asks: [{ path: '/one' }, { path: '/one/', ...GONE }, { path: '/one/two', ...GONE }],
  },
  {
    field: 'matches[].path PathPrefix',
    rule: path('PathPrefix', '/one/'),
    asks: [{ path: '/one' }, { path: '/one/' }, { path: '/one/two?q=1' }, { path: '/onetwo', ...GONE }],
  },
  {
    field: 'matches[].path RegularExpression',
    rule: path('RegularExpression', '/users/[0-9]+/[^/]+'),
    asks: [{ path: '/users/7/x' }, { path: '/users/a/x', ...GONE }, { path: '/users/7/x/y', ...GONE }],
  },
  {
    field: 'matches[].headers Exact',
    rule: { matches: [{ headers: [{ name: 'X-Color', value: 'blue' }] }] },
    asks: [
      { path: '/', headers: { 'x-color': 'blue' } },
      { path: '/', headers: { 'x-color': 'red' }, ...GONE },
    ],
  },
  {
    field: 'matches[].headers RegularExpression',
    rule: { matches: [{ headers: [{ name: 'x-color', type: 'RegularExpression', value: 'b.*' }] }] },
    asks: [
      { path: '/', headers: { 'x-color': 'blue' } },
      { path: '/', headers: { 'x-color': 'red' }, ...GONE },
    ],
  },
  {
    field: 'matches[].queryParams Exact',
    rule: { matches: [{ queryParams: [{ name: 'q', value: '1' }] }] },
    asks: [{ path: '/?q=1' }, { path: '/?q=2', ...GONE }, { path: '/', ...GONE }],
  },
  {
    field: 'matches[].queryParams RegularExpression',
    rule: { matches: [{ queryParams: [{ name: 'q', type: 'RegularExpression', value: '[0-9]+' }] }] },
    asks: [{ path: '/?q=12' }, { path: '/?q=x', ...GONE }],
  },
  {
    field: 'matches[].method',
    rule: { matches: [{ method: 'POST' }] },
    asks: [
      { path: '/', method: 'POST' },
      { path: '/', status: 405 },
    ],
  },
  {
    field: 'filters[] RequestHeaderModifier',
    rule: filter('RequestHeaderModifier', 'requestHeaderModifier', {
      set: [{ name: 'X-Set', value: '{not} ${HOME}' }],
      add: [{ name: 'x-add', value: 'more' }],
      remove: ['x-gone'],
    }),
    asks: [
      {
        path: '/',
        headers: { 'x-set': 'theirs', 'x-add': 'some', 'x-gone': 'here' },
        body: { headers: { 'x-set': '{not} ${HOME}', 'x-add': 'some, more', 'x-gone': null } },
      },
    ],
  },
  {
    field: 'filters[] ResponseHeaderModifier',
    rule: filter('ResponseHeaderModifier', 'responseHeaderModifier', {
      set: [{ name: 'x-service', value: 'hidden' }],
      add: [{ name: 'x-more', value: 'yes' }],
    }),
    asks: [{ path: '/', answer: { 'x-service': 'hidden', 'x-more': 'yes' } }],
  },
  {
    field: 'filters[] RequestRedirect',
    rule: {
      ...path('PathPrefix', '/old'),
      ...filter('RequestRedirect', 'requestRedirect', {
        scheme: 'https',
        hostname: 'new.test',
        path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new' },
        statusCode: 301,
      }),
      backendRefs: [],
    },
    asks: [{ path: '/old/x?q=1', status: 301, answer: { location: 'https://new.test/new/x?q=1' } }],
  },
  {
    field: 'filters[] URLRewrite path ReplacePrefixMatch',
    rule: {
      ...path('PathPrefix', '/old'),
      ...filter('URLRewrite', 'urlRewrite', {
        path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new' },
      }),
    },
    asks: [{ path: '/old/x?q=1', body: { url: '/new/x?q=1' } }],
  },
  {
    field: 'filters[] URLRewrite path ReplaceFullPath',
    rule: filter('URLRewrite', 'urlRewrite', {
      path: { type: 'ReplaceFullPath', replaceFullPath: '/whole' },
    }),
    asks: [{ path: '/old/x?q=1', body: { url: '/whole?q=1' } }],
  },
  {
    field: 'filters[] URLRewrite hostname',
    rule: filter('URLRewrite', 'urlRewrite', { hostname: 'inner.test' }),
    asks: [{ path: '/', body: { headers: { host: 'inner.test' } } }],
  },
  {
    field: 'filters[] RequestMirror',
    rule: filter('RequestMirror', 'requestMirror', { backendRef: { name: 'b', port: 80 } }),
    asks: [{ path: '/', times: 3, counts: { a: 3, b: 3 } }],
  },
  {
    field: 'filters[] CORS',
    rule: filter('CORS', 'cors', {
      allowOrigins: ['https://app.test'],
      allowMethods: ['GET', 'PUT'],
      maxAge: 60,
    }),
    asks: [
      {
        path: '/',
        method: 'OPTIONS',
        headers: { origin: 'https://app.test', 'access-control-request-method': 'PUT' },
        status: 204,
        answer: { 'access-control-allow-origin': 'https://app.test', 'access-control-max-age': '60' },
      },
    ],
  },
  {
    field: 'backendRefs[].weight',
    rule: {
      backendRefs: [
        { name: 'a', port: 80, weight: 3 },
        { name: 'b', port: 80, weight: 1 },
      ],
    },
    asks: [{ path: '/', times: 8, counts: { a: 6, b: 2 } }],
  },
  {
    field: 'backendRefs[].weight, all of them 0',
    rule: { backendRefs: [{ name: 'a', port: 80, weight: 0 }] },
    asks: [{ path: '/', status: 500 }],
  },
  {
    field: 'backendRefs[] that leads nowhere: 500 for its share',
    rule: {
      backendRefs: [
        { name: 'a', port: 80 },
        { name: 'nobody', port: 80 },
      ],
    },
    asks: [{ path: '/', times: 4, counts: { a: 2, '500': 2 } }],
  },
  {
    field: 'backendRefs[] that a ReferenceGrant lets be named',
    rule: { backendRefs: [{ name: 'c', namespace: 'granted', port: 80 }] },
    asks: [{ path: '/', counts: { c: 1 } }],
  },
  {
    field: 'timeouts.request',
    rule: { timeouts: { request: '40ms' } },
    asks: [{ path: '/slow', status: 504 }, { path: '/' }],
  },
  {
    field: 'timeouts.backendRequest',
    rule: { timeouts: { backendRequest: '40ms' } },
    asks: [{ path: '/slow', status: 504 }, { path: '/' }],
  },
  {
    field: 'retry.attempts, retry.codes: by another pod',
    rule: { retry: { attempts: 2, codes: [503] }, backendRefs: [{ name: 'flaky', port: 80 }] },
    asks: [{ path: '/', status: 200 }],
  },
];
