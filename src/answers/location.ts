import { urlFault } from '../config/url.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { below } from '../routing/below.ts';
import type { PathPattern } from '../routing/path-pattern.ts';
import { ActionError } from '../routing/route-action.ts';
import { compileRewrite } from '../routing/rewrite.ts';
import { TemplateError } from '../templates/template-fault.ts';
import type { RedirectOptions } from './redirect.schema.ts';

/** Where the clients of one route are sent. */
export interface Location {
  /** For listings. */
  readonly shown: string;
  /** Whether more than the URI of the request decides about it. */
  readonly isTelling: boolean;
  /** @throws {Problem} for a value that is missing. */
  of(exchange: Exchange): string;
}

/**
 * Compiles where to.
 *
 * @throws {ActionError} when it could lead where the file does not say, or a placeholder has no value.
 */
export function compileLocation(options: RedirectOptions, pattern: PathPattern): Location {
  const { to, path, replacePrefix, query } = options;
  const { origin, target } =
    to === undefined ? { origin: originOf(options), target: path } : below(['to'], () => partsOf(to));
  const edits = typeof query === 'string' ? undefined : query;
  const compile = () => compileRewrite({ path: target, replacePrefix, query: edits }, pattern);
  const rewrite = to === undefined ? compile() : asTo(compile);
  return {
    shown: to ?? shownParts(options),
    isTelling: rewrite?.isTelling === true,
    of(exchange) {
      const kept = query === 'drop' ? '' : exchange.query;
      const there = rewrite === undefined ? exchange.path + kept : rewrite.apply(exchange, kept);
      return (typeof origin === 'string' ? origin : origin(exchange)) + encoded(there);
    },
  };
}

// What is wrong with the template of `to` stands at `to`, not at a `path` that nobody wrote.
function asTo<Result>(compile: () => Result): Result {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof ActionError) || error.key[0] !== 'path') throw error;
    throw new ActionError(['to'], error.message, error.suggestion);
  }
}

const ORIGIN = {
  schemes: ['http', 'https'],
  example: 'https://new.example.com/{*}',
  rest: 'nothing',
} as const;
const PARTS = /^([a-z]+:[^/?]*(?:\/\/[^/?]*)?)?(.*)$/is;

/**
 * Takes `to` apart. Fails closed against open redirects: scheme, host and port stand in the file as they are, and a path
 * of this host can never be read as `//host`.
 */
function partsOf(to: string): { readonly origin: string; readonly target: string } {
  const [, origin = '', rest = ''] = PARTS.exec(to) ?? [];
  const message = to.startsWith('/') ? undefined : urlFault(origin, ORIGIN);
  if (message !== undefined) throw new TemplateError(`${message}; or a path that starts with "/"`);
  return { origin, target: rest.startsWith('/') ? rest : `/${rest}` };
}

const PORTS = { http: 80, https: 443 } as const;

/** What comes before the path; nothing where the place is on the same host. */
function originOf({ scheme, host, port }: RedirectOptions): '' | ((exchange: Exchange) => string) {
  if (scheme === undefined && host === undefined && port === undefined) return '';
  return (exchange) => {
    const toScheme = scheme ?? exchange.scheme;
    const toHost = host ?? exchange.host;
    // Only HTTP/1.0 has requests without one.
    if (toHost === '') throw new Problem('request-malformed', { detail: 'The request needs a Host.' });
    const toPort = port ?? (scheme === undefined ? portOf(exchange) : undefined);
    const isUsual = toPort === undefined || toPort === PORTS[toScheme];
    return `${toScheme}://${toHost}${isUsual ? '' : `:${toPort}`}`;
  };
}

function portOf({ request }: Exchange): number | undefined {
  const [, port = ''] = /:(\d{1,5})$/.exec(request.headers.host ?? '') ?? [];
  return port === '' ? undefined : Number(port);
}

function shownParts({ scheme, host, port, path, replacePrefix }: RedirectOptions): string {
  const origin = scheme ?? host ?? port;
  const prefix = typeof replacePrefix === 'string' ? replacePrefix : replacePrefix?.to;
  const place = path ?? (prefix === undefined ? '/…' : `${prefix.replace(/\/+$/, '')}/…`);
  if (origin === undefined) return place;
  return `${scheme ?? '…'}://${host ?? '…'}${port === undefined ? '' : `:${port}`}${place}`;
}

const UNSAFE = /[^\x21-\x7e]|["#<>\\^`{|}]/g;

// The path is in its normal form; a query may be anything that the parser lets through, but for the end of a line.
function encoded(text: string): string {
  return text.replace(UNSAFE, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
