import { redacted } from '../telemetry/redaction.ts';
import { maySayASecret } from '../telemetry/secret-names.ts';
import { withoutSecretSegments, type Patterned } from './secret-segments.ts';
import type { Route } from '../routing/route.ts';

const LONGEST_PATH = 1024;
const MOST_PARAMETERS = 16;

const NONE: readonly string[] = Object.freeze([]);
const NONE_AT_ALL: readonly number[] = Object.freeze([]);

/** Parameters of a path segment (RFC 3986 section 3.3), such as a session of `;jsessionid=…`. */
const PATH_PARAMETER = /(?:;|%3B)[^/]*/g;

/** What developers call a parameter. */
const PARAMETER_NAME = /^[A-Za-z_][\w.[\]-]{0,31}$/;

/** Stands for what is left out. */
const HIDDEN = '*';

/** How tokens and keys begin that can be told by their looks. Looked for first: most paths have none of it. */
const LOOKS = ['eyJ', 'gh_', '://'];

/** Which parameters of a path hold what may be a secret, by its pattern; settled when a path of it is first shown. */
const secretPlaces = new WeakMap<object, readonly number[]>();

/** What of an exchange says which parts of its path are secret. */
export interface PathFacts {
  readonly route: { readonly pattern: Pick<Route['pattern'], 'parameters'> } | undefined;
  readonly params: readonly string[];
  /** What else could have been meant. */
  readonly snapshot?: { readonly table: { readonly routes: readonly Patterned[] } } | undefined;
}

/** The path of a request as log lines, traces and operators' pages show it: {@link shownPath}, without what may be a secret. */
export function shownPathOf(exchange: PathFacts & { readonly path: string }): string {
  const { path, route, snapshot } = exchange;
  const shown = shownPath(
    route === undefined
      ? withoutSecretSegments(path, snapshot?.table.routes)
      : withoutValues(path, secretValuesOf(exchange)),
  );
  return LOOKS.some((look) => shown.includes(look)) ? redacted(shown) : shown;
}

/** Where a page is that `Referer` names, without what may be a secret of its path: it may be one of these routes. */
export function shownReferer(referer: string, { snapshot, ...facts }: PathFacts): string {
  const path = URL.parse(referer)?.pathname;
  if (path === undefined) return referer;
  const shown = withoutSecretSegments(withoutValues(path, secretValuesOf(facts)), snapshot?.table.routes);
  if (shown === path) return referer;
  // As somebody else spells it: whatever is not found is left out.
  return referer.includes(path) ? referer.replaceAll(path, shown) : HIDDEN;
}

/**
 * The values of parameters of the path whose names may be those of secrets, `/reset/{token}`: as they came, and as they are
 * spelled in what is made of them.
 */
export function secretValuesOf({ route, params }: PathFacts): readonly string[] {
  if (route === undefined) return NONE;
  let places = secretPlaces.get(route.pattern);
  if (places === undefined) secretPlaces.set(route.pattern, (places = placesOf(route.pattern.parameters)));
  return places.length === 0 ? NONE : places.flatMap((place) => spellingsOf(params[place] ?? ''));
}

function spellingsOf(value: string): readonly string[] {
  if (value === '') return NONE;
  try {
    const plain = decodeURIComponent(value);
    return [...new Set([value, encodeURIComponent(plain), plain])];
  } catch {
    return [value];
  }
}

/** A path, or what was made of one, without some values. */
export function withoutValues(path: string, values: readonly string[]): string {
  if (values.length === 0) return path;
  return values.reduce((text, value) => {
    const segments = text.split('/');
    return segments.includes(value)
      ? segments.map((one) => (one === value ? HIDDEN : one)).join('/')
      : text.replaceAll(value, HIDDEN);
  }, path);
}

function placesOf(names: readonly string[]): readonly number[] {
  const places = [...names.keys()].filter((place) => maySayASecret(names[place] ?? ''));
  return places.length === 0 ? NONE_AT_ALL : places;
}

/** A path as log lines show it: without the parameters of its segments, and 1024 characters at most. */
export function shownPath(path: string): string {
  const shown =
    path.includes(';') || path.includes('%3B') ? path.replace(PATH_PARAMETER, `;${HIDDEN}`) : path;
  return shown.length > LONGEST_PATH ? `${shown.slice(0, LONGEST_PATH)}…` : shown;
}

/**
 * A query as log lines show it: the names of its parameters, 16 at most. Values are left out, and so is a name that
 * nobody would give one, or that no value follows: `?dG9rZW4=` is a token and not a name.
 *
 * @param query with its `?`.
 */
export function shownQuery(query: string): string {
  let shown = '?';
  let start = 1;
  for (let count = 0; start <= query.length; count += 1) {
    if (count > 0) shown += '&';
    if (count === MOST_PARAMETERS) return `${shown}…`;
    const end = query.indexOf('&', start);
    const parameter = query.slice(start, end < 0 ? query.length : end);
    shown += shownParameter(parameter);
    start += parameter.length + 1;
  }
  return shown;
}

function shownParameter(parameter: string): string {
  const sign = parameter.indexOf('=');
  const name = parameter.slice(0, Math.max(0, sign));
  return PARAMETER_NAME.test(name) && hasValue(parameter, sign + 1) ? `${name}=` : HIDDEN;
}

// The padding of base64 is no value.
function hasValue(parameter: string, start: number): boolean {
  for (let i = start; i < parameter.length; i += 1) if (parameter[i] !== '=') return true;
  return false;
}
