import type { AskedValues } from './asked-values.ts';
import { compileLinear } from '../config/linear-pattern.ts';
import { REDACTED } from '../telemetry/redaction.ts';
import { maySayASecret } from '../telemetry/secret-names.ts';
import type { RouteMatch, ValueMatch } from './route.ts';

/** Where a value of a request stands. */
export type ValuePlace = 'header' | 'query' | 'cookie' | 'port' | 'path';

/** Something that a route asks of one value of a request. */
export interface Condition {
  readonly place: ValuePlace;
  readonly name: string;
  /** The only value that it takes; undefined for one that takes several. */
  readonly exact: string | undefined;
  /** The same for conditions that are the same. */
  readonly key: string;
  /** What it is, for listings: `x-beta: 1`. */
  readonly text: string;
  readonly declared: ValueMatch;
  /** Whether it takes this one value. */
  takes(value: string): boolean;
  holds(values: AskedValues): boolean;
}

/** One list for all routes that ask for nothing: it stays near. */
const NONE: readonly Condition[] = Object.freeze([]);

/**
 * Compiles what a route asks of values, in the order of header fields, query, cookies.
 *
 * @throws {Error} for an expression that is not linear.
 */
export function compileConditions(
  match: Pick<RouteMatch, 'headers' | 'query' | 'cookies' | 'ports' | 'except'>,
): readonly Condition[] {
  const of = (place: ValuePlace, declared: RouteMatch['query']): Condition[] =>
    Object.entries(declared ?? {}).map(([name, one]) => compile(place, name, one));
  const { headers, query, cookies, ports, except } = match;
  const all = [...of('header', headers), ...of('query', query), ...of('cookie', cookies)];
  if (ports !== undefined) all.push(portCondition(ports));
  if (except !== undefined) all.push(exceptCondition(except));
  return all.length === 0 ? NONE : Object.freeze(all);
}

function compile(place: ValuePlace, name: string, declared: ValueMatch): Condition {
  const takes = testOf(declared);
  const isPresence = typeof declared === 'object' && 'present' in declared;
  return Object.freeze({
    place,
    name,
    exact: typeof declared === 'string' ? declared : undefined,
    key: JSON.stringify([place, name, declared]),
    // What a caller has to know to be taken somewhere is a secret under such a name.
    text: MARKS[place] + name + (isPresence || !maySayASecret(name) ? said(declared) : `: ${REDACTED}`),
    declared,
    takes,
    holds: isPresence
      ? (values: AskedValues) => values.has(place, name) === declared.present
      : (values: AskedValues) => {
          const value = values.only(place, name);
          return value !== undefined && takes(value);
        },
  });
}

/** A request has one port, whatever it says: the one that its connection came to. */
function portCondition(ports: readonly number[]): Condition {
  const all = new Set(ports.map(String));
  const [first = '', ...others] = all;
  const takes = (value: string): boolean => all.has(value);
  return Object.freeze({
    place: 'port',
    name: 'port',
    exact: others.length === 0 ? first : undefined,
    key: JSON.stringify(['port', ...[...all].toSorted()]),
    text: `port ${[...all].join(', ')}`,
    declared: others.length === 0 ? first : { regex: [...all].join('|') },
    takes,
    holds: (values: AskedValues) => {
      const value = values.only('port', 'port');
      return value !== undefined && takes(value);
    },
  });
}

/** The path is none of some, and not below one of them; the cost of a look goes by the path, not by how many they are. */
function exceptCondition(prefixes: readonly string[]): Condition {
  const all = new Set(prefixes);
  const takes = (path: string): boolean => {
    for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1))
      if (all.has(path.slice(0, end))) return false;
    return !all.has(path);
  };
  const sorted = [...all].toSorted();
  return Object.freeze({
    place: 'path',
    name: 'path',
    exact: undefined,
    key: JSON.stringify(['path', ...sorted]),
    text: `not below ${sorted.join(', ')}`,
    declared: { present: true },
    takes,
    holds: (values: AskedValues) => takes(values.only('path', 'path') ?? ''),
  });
}

const MARKS: Readonly<Record<ValuePlace, string>> = {
  header: '', query: '?', cookie: 'cookie ', port: '', path: '',
}; // prettier-ignore

function said(declared: ValueMatch): string {
  if (typeof declared === 'string') return `: ${declared}`;
  if ('present' in declared) return declared.present ? '' : ' absent';
  return 'prefix' in declared ? `: ${declared.prefix}…` : `: /${declared.regex}/`;
}

function testOf(declared: ValueMatch): (value: string) => boolean {
  if (typeof declared === 'string') return (value) => value === declared;
  if ('present' in declared) return () => declared.present;
  if ('prefix' in declared) return (value) => value.startsWith(declared.prefix);
  return compileLinear(declared.regex).matches;
}

/** Whether no request can fulfill both, as far as that can be told: of two expressions it cannot. */
export function excludeEachOther(one: Condition, other: Condition): boolean {
  if (one.place !== other.place || one.name !== other.name) return false;
  if (one.exact !== undefined) return !other.takes(one.exact);
  if (other.exact !== undefined) return !one.takes(other.exact);
  if (one.place === 'port') return portsOf(one).every((port) => !other.takes(port));
  const [first, second] = [prefixOf(one), prefixOf(other)];
  if (first === undefined || second === undefined) return isAbsence(one) !== isAbsence(other);
  return !first.startsWith(second) && !second.startsWith(first);
}

function portsOf({ declared }: Condition): readonly string[] {
  return typeof declared === 'object' && 'regex' in declared ? declared.regex.split('|') : [];
}

function prefixOf({ declared }: Condition): string | undefined {
  return typeof declared === 'object' && 'prefix' in declared ? declared.prefix : undefined;
}

/** Whether it wants something not to be there. */
export function isAbsence({ declared }: Condition): boolean {
  return typeof declared === 'object' && 'present' in declared && !declared.present;
}
