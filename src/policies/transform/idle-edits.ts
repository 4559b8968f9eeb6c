import { readsNoBody, type IdleOptions, type RouteKind } from '../policy-facts.ts';

type Edits = Readonly<Record<string, unknown>>;

const NO_REQUEST = 'nobody is sent the request of such a route';
const NO_TARGET = 'only requests that are forwarded have a target of their own';
const NO_BODY = 'a redirect has no body';
const HEADERS = ['setHeaders', 'addHeaders', 'renameHeaders', 'removeHeaders'];

/** The edits that do nothing at routes of a kind, and why. */
const IDLE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  redirect: {
    ...whole('request', ['body', ...HEADERS], NO_REQUEST),
    ...whole('response', ['maskFields', 'body', 'template'], NO_BODY),
    perTarget: NO_TARGET,
  },
  handler: {
    ...whole('request', HEADERS, 'a handler reads the header fields as the client has sent them'),
    perTarget: NO_TARGET,
  },
  respond: { ...whole('request', ['body', ...HEADERS], NO_REQUEST), perTarget: NO_TARGET },
  aggregate: {
    ...whole('request', ['body'], 'nobody reads the body of a request of such a route'),
    ...whole('request', HEADERS, 'the calls of an aggregate are requests of their own'),
    perTarget: NO_TARGET,
  },
};

const UNREAD = whole('request', ['body'], 'nobody reads the body of a GET');

/** The first of some edits that does nothing at a route of a kind. */
export function idleEdits(options: object, at: RouteKind): IdleOptions | undefined {
  const edits = { ...IDLE[at.kind], ...(readsNoBody(at) ? UNREAD : {}) };
  for (const [path, reason] of Object.entries(edits)) {
    const key = path.split('.');
    let value: unknown = options;
    for (const name of key) value = (value as Edits | undefined)?.[name];
    if (value !== undefined) return { key, reason };
  }
  return undefined;
}

function whole(side: string, keys: readonly string[], reason: string): Readonly<Record<string, string>> {
  return Object.fromEntries(keys.map((key) => [`${side}.${key}`, reason]));
}
