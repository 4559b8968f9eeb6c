import type { Exchange } from '../exchange/exchange.ts';
import type { Principal } from '../exchange/principal.ts';
import { withoutSecretSegments } from '../exchange/secret-segments.ts';
import { secretValuesOf, shownReferer } from '../exchange/shown-target.ts';
import { redacted } from '../telemetry/redaction.ts';
import { maySayASecret } from '../telemetry/secret-names.ts';
import { toldField, toldJson } from '../telemetry/told-values.ts';
import type { KeptAnswer } from './kept-answer.ts';
import type { KeptBody } from './kept-body.ts';
import type { RecordedExchange } from './sample-format.ts';

/** What developers call a parameter that has a value, and one that has none: any other may be the value itself. */
const NAME = /^[A-Za-z_][\w.[\]-]{0,63}$/;
const FLAG = /^[A-Za-z]{1,24}(?:[_-][A-Za-z]{1,24}){0,3}$/;

/** Bodies that were kept. */
export interface KeptBodies {
  readonly body: KeptBody | undefined;
  readonly answer: KeptAnswer | undefined;
}

/** What is recorded of an exchange that has closed: nothing that may be a secret, and no credential whatever it is called. */
export function recordedExchange(
  exchange: Exchange,
  { body, answer }: KeptBodies,
  now: number,
): RecordedExchange {
  const { request, scheme, method, path, query, clientAddress, principal, route, problem } = exchange;
  const ms = performance.now() - exchange.startedAt;
  const secrets = secretValuesOf(exchange);
  const { headers, dropped } = fieldsOf(exchange, secrets);
  const host = request.headers.host ?? exchange.host;
  return {
    at: new Date(now - ms).toISOString(),
    method,
    url: `${redacted(`${scheme}://${host}${shownPath(exchange, path, secrets)}`)}${shownQuery(query)}`,
    headers,
    dropped,
    from: clientAddress,
    ...(principal === undefined ? {} : { as: verifiedFacts(principal) }),
    ...(route === undefined ? {} : { route: route.id }),
    status: exchange.status,
    ...(problem === undefined ? {} : { problem: problem.code }),
    ...(problem?.by === undefined ? {} : { by: problem.by }),
    ...(exchange.upstream === undefined ? {} : { upstream: exchange.upstream }),
    ms: Math.round(ms * 10) / 10,
    ...without(body?.told(), secrets),
    ...without(answer?.told(), secrets),
  };
}

function fieldsOf(
  exchange: Exchange,
  secrets: readonly string[],
): Pick<RecordedExchange, 'headers' | 'dropped'> {
  const raw = exchange.request.rawHeaders;
  const headers: [string, string][] = [];
  const dropped: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name = '', value = ''] = [raw[at], raw[at + 1]];
    // Pseudo fields of HTTP/2 are said by method and URL.
    if (name.startsWith(':')) continue;
    if (maySayASecret(name)) dropped.push(name.toLowerCase());
    else if (name.toLowerCase() === 'referer')
      headers.push([name, toldField(name, shownReferer(value, exchange))]);
    else headers.push([name, hidden(toldField(name, value), secrets)]);
  }
  return { headers, dropped };
}

// Of the same length and kind of characters, so that patterns of paths take it as they took the other.
function masked(value: string): string {
  return value
    .replaceAll(/%[\dA-F]{2}/gi, 'x')
    .replaceAll(/[A-Za-z]/g, 'x')
    .replaceAll(/\d/g, '0');
}

function shownPath({ route, snapshot }: Exchange, path: string, secrets: readonly string[]): string {
  // No pattern has to take it.
  if (route === undefined) return withoutSecretSegments(path, snapshot?.table.routes);
  return secrets.reduce((text, value) => text.replaceAll(value, masked(value)), path);
}

/** Shorter ones are found in everything. */
const SHORTEST = 6;

// What is a secret in the path is one in a body and a field, too: a form is sent with the token of its page.
function hidden(text: string, secrets: readonly string[]): string {
  return secrets.reduce(
    (told, value) => (value.length < SHORTEST ? told : told.replaceAll(value, masked(value))),
    text,
  );
}

function without<Told extends object>(told: Told | undefined, secrets: readonly string[]): Told | undefined {
  if (told === undefined || secrets.length === 0) return told;
  const shown = Object.entries(told).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' ? hidden(value, secrets) : value,
  ]);
  return Object.fromEntries(shown) as Told;
}

function shownQuery(query: string): string {
  if (query === '') return '';
  return `?${query.slice(1).split('&').map(shownPair).join('&')}`;
}

function shownPair(pair: string): string {
  const end = pair.indexOf('=');
  const name = end < 0 ? pair : pair.slice(0, end);
  const value = end < 0 ? '' : pair.slice(end + 1);
  // The padding of base64 is no value.
  const isName = (/[^=]/.test(value) ? NAME : FLAG).test(plain(name));
  const shown = end < 0 ? '' : `=${maySayASecret(name) ? masked(value) : redacted(value)}`;
  return (isName || name === '' ? name : masked(name)) + shown;
}

function plain(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return '';
  }
}

// Member by member: a token that services get for it, or whatever is added later, is not among them.
function verifiedFacts(principal: Principal): NonNullable<RecordedExchange['as']> {
  const { id, scheme, issuer, subject, clientId, apiKeyId, email, tenant, tier, claims } = principal;
  return {
    id,
    scheme,
    issuer,
    subject,
    clientId,
    apiKeyId,
    roles: [...principal.roles],
    permissions: [...principal.permissions],
    scopes: [...principal.scopes],
    email,
    tenant,
    tier,
    claims: toldJson(claims) as Readonly<Record<string, unknown>>,
  };
}
