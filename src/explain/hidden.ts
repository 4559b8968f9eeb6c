import type { Exchange } from '../exchange/exchange.ts';
import { maySayASecret } from '../telemetry/secret-names.ts';
import { HIDDEN, toldField, toldJson } from '../telemetry/told-values.ts';

/** A token that is signed, whatever its field is called. */
const SIGNED = /^(?:[Bb]earer )?eyJ[\w-]+\.[\w-]+\.[\w-]*$/;

/** Shorter ones would be found in whatever is shown. */
const SHORTEST_SCRUBBED = 4;

/** Shows the value of a header field, unless it may be a secret. */
export function shownValue(name: string, value: string): string {
  return maySayASecret(name) || SIGNED.test(value) ? HIDDEN : toldField(name, value);
}

/** Shows a path with its query, but for values that may be secrets. */
export function shownTarget(target: string): string {
  const at = target.indexOf('?');
  if (at < 0) return target;
  const pairs = pairsOf(target.slice(at + 1)).map(([name, value]) => {
    if (value === undefined) return name;
    return `${name}=${maySayASecret(name) ? HIDDEN : value}`;
  });
  return `${target.slice(0, at)}?${pairs.join('&')}`;
}

const MOST_SHOWN = 2000;

/** Shows a body that is JSON, or the beginning of it, but for members that may be secrets; undefined for any other. */
export function shownJson(body: Buffer): string | undefined {
  try {
    const text = JSON.stringify(toldJson(JSON.parse(body.toString())));
    return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
  } catch {
    return undefined;
  }
}

/**
 * Values of a request that may be secrets, by the names that they have there: configurations put them elsewhere, such as into
 * keys of limits, a path, or a field of another name. The longest first.
 */
export function secretsOf({ query, request, route, params }: Exchange): readonly string[] {
  const cookies = (request.headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.slice(pair.indexOf('=') + 1).trim());
  const fields = Object.entries(request.headers).flatMap(([name, value = '']) =>
    maySayASecret(name) ? [value].flat() : [],
  );
  // Without the scheme of a credential.
  const bare = fields.map((value) => value.slice(value.indexOf(' ') + 1));
  const parameters = pairsOf(query.slice(1)).flatMap(([name, value = '']) =>
    maySayASecret(name) ? [value] : [],
  );
  const ofPath = route?.pattern.parameters.flatMap((name, at) =>
    maySayASecret(name) ? [params[at] ?? ''] : [],
  );
  const all = [...cookies, ...fields, ...bare, ...parameters, ...(ofPath ?? [])];
  const spelled = all.flatMap((value) => [value, decoded(value), encodeURIComponent(value)]);
  const found = new Set(spelled.filter(({ length }) => length >= SHORTEST_SCRUBBED));
  return [...found].sort((a, b) => b.length - a.length);
}

/** The same value without some texts, wherever they stand in its own. */
export function without<T>(value: T, secrets: readonly string[]): T {
  if (secrets.length === 0) return value;
  const scrubbed = (one: unknown): unknown => {
    if (typeof one === 'string')
      return secrets.reduce((text, secret) => text.replaceAll(secret, HIDDEN), one);
    if (Array.isArray(one)) return one.map(scrubbed);
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([name, its]) => [name, scrubbed(its)]));
  };
  return scrubbed(value) as T;
}

function pairsOf(query: string): readonly (readonly [name: string, value: string | undefined])[] {
  return query.split('&').map((pair) => {
    const end = pair.indexOf('=');
    return end < 0 ? [pair, undefined] : [pair.slice(0, end), pair.slice(end + 1)];
  });
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '));
  } catch {
    return value;
  }
}
