import { Environment } from '@marcbachmann/cel-js';
import { CelBlock, CelPattern, CelZone, searchable } from './cel-arguments.ts';
import { CelClient, CelPrincipal, CelRequest, CelRoute } from './cel-shapes.ts';

/** What an expression may consist of; what it can cost is reckoned beside. */
const LIMITS = {
  maxAstNodes: 200,
  maxDepth: 20,
  maxListElements: 100,
  maxMapEntries: 50,
  maxCallArguments: 4,
};

/** What conditions may name besides what every request has. */
export interface ConditionShape {
  /** Names of the path parameters; absent where the route is not known yet, and any name may be one. */
  readonly params?: readonly string[] | undefined;
  /** Whether there is a JSON body to look at. Default false. */
  readonly body?: boolean;
  /** Names of the arguments and of the fields beside a field of GraphQL; any name for `any`. Default: there are none. */
  readonly args?: readonly string[] | 'any' | undefined;
  readonly parent?: readonly string[] | 'any' | undefined;
}

const text = 'string';
const texts = 'list<string>';
const TIMESTAMP = 'google.protobuf.Timestamp';
const MEMBERS = 'map<string, dyn>';
const SYNC = { async: false };

/** The parts of a moment that can be asked for in a time zone. */
const ZONED = {
  getFullYear: (date: Date) => date.getUTCFullYear(),
  getMonth: (date: Date) => date.getUTCMonth(),
  getDate: (date: Date) => date.getUTCDate(),
  getDayOfMonth: (date: Date) => date.getUTCDate() - 1,
  getDayOfWeek: (date: Date) => date.getUTCDay(),
  getHours: (date: Date) => date.getUTCHours(),
  getMinutes: (date: Date) => date.getUTCMinutes(),
} as const;

/**
 * Functions in whose place one of ours is called, by name and number of arguments; the text that is their argument has to
 * stand in the expression, and is compiled once.
 */
export const LITERAL_ARGUMENTS: ReadonlyMap<string, (source: string) => object> = new Map<
  string,
  (source: string) => object
>([
  ['matches/1', (source) => new CelPattern(source)],
  ['inCidr/1', (source) => new CelBlock(source)],
  ...Object.keys(ZONED).map((name) => [`${name}/1`, (zone: string) => new CelZone(zone)] as const),
]);

/** Functions in whose place one of ours is called, which refuses what could take long. */
export const BOUNDED: ReadonlySet<string> = new Set(['contains/1', 'indexOf/1', 'lastIndexOf/1']);

/** What ours are called. */
export const oursOf = (name: string): string => `${name}_`;

const base = new Environment({ limits: LIMITS })
  .registerType('Principal', {
    ctor: CelPrincipal,
    fields: {
      id: text, scheme: text, issuer: text, subject: text, clientId: text, roles: texts, permissions: texts,
      scopes: texts, email: text, tenant: text, tier: text, claims: 'map<string, dyn>',
    }, // prettier-ignore
  })
  .registerType('Request', {
    ctor: CelRequest,
    fields: {
      method: text, scheme: text, host: text, path: text, headers: 'map<string, string>', query: 'map<string, string>',
    }, // prettier-ignore
  })
  .registerType('Route', { ctor: CelRoute, fields: { id: text, path: text, upstream: text } })
  .registerType('Client', { ctor: CelClient, fields: { ip: text, certificate: text } })
  .registerType('Pattern', { ctor: CelPattern, fields: {} })
  .registerType('Block', { ctor: CelBlock, fields: {} })
  .registerType('Zone', { ctor: CelZone, fields: {} })
  .registerVariable('principal', 'Principal')
  .registerVariable('request', 'Request')
  .registerVariable('route', 'Route')
  .registerVariable('client', 'Client')
  .registerVariable('now', TIMESTAMP)
  .registerFunction('string.matches_(Pattern): bool', (of: string, pattern: CelPattern) => pattern.finds(of), SYNC)
  .registerFunction('string.inCidr_(Block): bool', (of: string, block: CelBlock) => block.has(of), SYNC)
  .registerFunction('string.contains_(string): bool', search((of, needle) => of.includes(needle)), SYNC)
  .registerFunction('string.indexOf_(string): int', search((of, needle) => BigInt(of.indexOf(needle))), SYNC)
  .registerFunction('string.lastIndexOf_(string): int', search((of, needle) => BigInt(of.lastIndexOf(needle))), SYNC); // prettier-ignore

for (const [name, part] of Object.entries(ZONED)) {
  const handler = (date: Date, zone: CelZone): bigint => BigInt(part(zone.shift(date)));
  base.registerFunction(`${TIMESTAMP}.${oursOf(name)}(Zone): int`, handler, SYNC);
}

function search<Result>(find: (of: string, needle: string) => Result) {
  return (of: string, needle: string): Result => {
    searchable(of, needle);
    return find(of, needle);
  };
}

const known = new Map<string, Environment>();

/** The environment that expressions of a shape are checked in. Which names of a map there are is checked beside. */
export function environmentOf({ body = false, args, parent }: ConditionShape): Environment {
  const more = { body: body && 'dyn', args: args && MEMBERS, parent: parent && MEMBERS };
  const key = JSON.stringify(more);
  let environment = known.get(key);
  if (environment === undefined) {
    environment = base.clone().registerVariable('params', 'map<string, string>');
    for (const [name, type] of Object.entries(more)) if (type) environment.registerVariable(name, type);
    known.set(key, environment);
  }
  return environment;
}
