import { Document, isMap, isSeq, Scalar } from 'yaml';
import { Variable, type Draft, type RouteDraft, type Section } from './draft.ts';

/** Writes a draft as a configuration file. Texts of the source stay texts: what looks like a variable in them is escaped. */
export function writeGateway(draft: Draft, origin: string): string {
  const { issuers, apiKeys, upstreams, routes } = draft;
  const identity = {
    ...(issuers.length > 0 ? { issuers } : {}),
    ...(apiKeys.length > 0 ? { apiKeys } : {}),
  };
  const file = {
    version: 1,
    ...(Object.keys(identity).length > 0 ? { identity } : {}),
    ...(Object.keys(upstreams).length > 0 ? { upstreams } : {}),
    routes: routes.map(routeOf),
  };
  const document = new Document(plain(file), { aliasDuplicateObjects: false });
  document.commentBefore = ` Imported from ${origin.replaceAll(/[\r\n]+/g, ' ')}. Read the report of the import before you start this.`;
  const list = document.get('routes');
  for (const [index, { closed }] of routes.entries())
    if (closed !== undefined && isSeq(list)) {
      const item = list.items[index];
      if (isMap(item)) item.commentBefore = ` CLOSED: ${closed}.`;
    }
  return document.toString({ lineWidth: 0, singleQuote: true });
}

function routeOf({ id, match, closed, rest }: RouteDraft): Section {
  if (closed === undefined) return { id, match, ...rest };
  // Fails closed: a route that is left out would let its requests fall through to one that lets more people in.
  return { id, match, respond: { status: 503 }, policies: { authentication: 'public' } };
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('${', () => '$${');
  if (value instanceof Variable) return quoted(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner)]));
}

/** In quotes what the environment has stays text, also when it looks like a number. */
function quoted({ name, fallback }: Variable): Scalar<string> {
  const scalar = new Scalar(`\${${name}${fallback === undefined ? '' : `:-${fallback}`}}`);
  scalar.type = Scalar.QUOTE_SINGLE;
  return scalar;
}
