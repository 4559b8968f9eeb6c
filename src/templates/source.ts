import type { Exchange } from '../exchange/exchange.ts';
import { isIdentityHeader } from '../exchange/identity-headers.ts';
import { QuerySpellings } from '../exchange/query-spellings.ts';
import { TemplateError } from './template-fault.ts';
import { TOKEN } from '../config/field-name.ts';

/** The names that the values of a template can be taken from, besides those that every exchange has. */
export interface SourceNames {
  /** Parameters of the path, in the order of the pattern; absent where the route is not known yet: any will do. */
  readonly parameters?: readonly string[] | undefined;
  /** Whether `target.label` stands for a label of the target that is asked. */
  readonly hasTarget?: boolean;
}

/** Where a value comes from, compiled. */
export interface Source {
  /** As it stands in the file. */
  readonly text: string;
  /** What decides about it. What is no `uri` tells requests apart that look alike to a cache. */
  readonly of: 'uri' | 'header' | 'principal' | 'client' | 'exchange' | 'route' | 'target';
  /** Lower-case name of the field of the request that it is taken from. */
  readonly header?: string;
  /** The value; undefined for one that is missing. */
  read(exchange: Exchange): string | undefined;
  /** The same percent-encoded, as it was matched; absent where nothing was. */
  encoded?(exchange: Exchange): string | undefined;
}

const PRINCIPAL_FIELDS = ['id', 'clientId', 'email', 'tenant', 'tier'] as const;
const REQUEST_FIELDS = ['method', 'path', 'host', 'scheme'] as const;
/** What begins the name of a value. */
export const ROOTS: readonly string[] = [
  'query',
  'header',
  'request',
  'principal',
  'route',
  'client',
  'exchange',
];
/** Fields that hold a secret, which must get neither into an address nor into a body. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-api-key',
  'dpop',
]);

/**
 * Compiles the name of a value: `id` of the path, `query.first`, `request.header.accept-language`, `principal.id`,
 * `client.address`, `route.id`, `exchange.id`.
 *
 * @throws {TemplateError} when there is nothing of that name.
 */
export function compileSource(text: string, names: SourceNames): Source {
  const [root = '', member = ''] = splitAt(text);
  const { parameters } = names;
  const index = parameters?.indexOf(root) ?? -1;
  if (index >= 0) return parameter(text, root, index);
  if (member !== '' || root !== text) {
    const source = ofRoot(text, root, { member, names });
    if (source !== undefined) return source;
  } else if (parameters === undefined && (root === '*' || /^[A-Za-z_]\w*$/.test(root))) {
    return parameter(text, root, 0);
  }
  throw unknown(root, names);
}

function splitAt(text: string): [string, string] {
  const dot = text.indexOf('.');
  return dot < 0 ? [text, ''] : [text.slice(0, dot), text.slice(dot + 1)];
}

function ofRoot(
  text: string,
  root: string,
  about: { readonly member: string; readonly names: SourceNames },
): Source | undefined {
  const { member } = about;
  if (root === 'query' && member !== '') return ofQuery(text, member);
  if (root === 'header' && member !== '') return ofHeader(text, member.toLowerCase());
  if (root === 'request') return ofRequest(text, about);
  if (root === 'principal') return ofPrincipal(text, member);
  if (root === 'target' && about.names.hasTarget === true) return ofTarget(text, member);
  if (root === 'client') return only(text, 'client', 'address', ({ clientAddress }) => clientAddress);
  if (root === 'exchange') return only(text, 'exchange', 'id', ({ id }) => id);
  if (root === 'route') return only(text, 'route', 'id', ({ route }) => route?.id);
  return undefined;
}

function only(
  text: string,
  of: 'client' | 'exchange' | 'route',
  member: string,
  read: Source['read'],
): Source {
  if (text === `${of}.${member}`) return { text, of, read };
  throw new TemplateError(`there is no "${text}", only ${of}.${member}`, {
    given: text,
    known: [`${of}.${member}`],
  });
}

function parameter(text: string, name: string, index: number): Source {
  if (text !== name) throw new TemplateError(`the parameter {${name}} is a text and has no parts`);
  return {
    text,
    of: 'uri',
    read: ({ params }) => decoded(params[index]),
    encoded: ({ params }) => params[index],
  };
}

function decoded(encoded: string | undefined): string | undefined {
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

// Of a name that stands there twice, or in two spellings, there is no value, because services differ in which counts.
function ofQuery(text: string, name: string): Source {
  return {
    text,
    of: 'uri',
    read: ({ query }) => {
      if (query === '') return undefined;
      const values = queryOf(query).getAll(name);
      return values.length === 1 && !lastSpellings.haveOther(name) ? values[0] : undefined;
    },
  };
}

let lastQuery = '';
let lastRead = new URLSearchParams();
let lastSpellings = new QuerySpellings([]);

/** A template that takes several values reads the query once. */
function queryOf(query: string): URLSearchParams {
  if (query !== lastQuery) {
    lastRead = new URLSearchParams(query);
    lastSpellings = new QuerySpellings(lastRead.keys());
    lastQuery = query;
  }
  return lastRead;
}

function ofHeader(text: string, name: string): Source {
  if (!TOKEN.test(name)) throw new TemplateError(`expected the name of a header field, got "${name}"`);
  // What a client says about its own identity is forged, or ours already.
  if (isIdentityHeader(name)) throw new TemplateError(`${name} is not the client's to say; use principal.id`);
  if (CREDENTIALS.has(name)) throw new TemplateError(`${name} is a credential and stays where it is`);
  return {
    text,
    of: 'header',
    header: name,
    read: ({ request }) => {
      const value = request.headers[name];
      return typeof value === 'string' ? value : undefined;
    },
  };
}

function ofRequest(text: string, { member }: { readonly member: string }): Source | undefined {
  const [part, rest] = splitAt(member);
  if (part === 'header' && rest !== '') return ofHeader(text, rest.toLowerCase());
  if (part === 'query' && rest !== '') return ofQuery(text, rest);
  const field = REQUEST_FIELDS.find((one) => one === member);
  if (field !== undefined) return { text, of: 'uri', read: (exchange) => exchange[field] };
  const known = ['header', 'query', ...REQUEST_FIELDS];
  const what = `expected request.header.NAME, request.query.NAME or one of ${REQUEST_FIELDS.join(', ')} of the request`;
  throw new TemplateError(`${what}, got "${text}"`, { given: part, known, below: 'request.' });
}

function ofPrincipal(text: string, given: string): Source {
  const field = PRINCIPAL_FIELDS.find((one) => one === given);
  if (field === undefined) {
    const known = PRINCIPAL_FIELDS;
    throw new TemplateError(`expected one of ${known.join(', ')} of the principal, got "${given}"`, {
      given,
      known,
    });
  }
  // Fails closed: an application has no id there, because it would be taken for the user of the same name.
  const member = field === 'id' ? 'subject' : field;
  return { text, of: 'principal', read: ({ principal }) => principal?.[member] };
}

function ofTarget(text: string, member: string): Source {
  const [part, name] = splitAt(member);
  if (part !== 'label' || name === '')
    throw new TemplateError(`expected target.label.NAME, got "${text}"`, {
      given: part,
      known: ['label'],
      below: 'target.',
    });
  return {
    text,
    of: 'target',
    read: ({ targetLabels }) =>
      targetLabels !== undefined && Object.hasOwn(targetLabels, name) ? targetLabels[name] : undefined,
  };
}

function unknown(given: string, { parameters = [], hasTarget }: SourceNames): TemplateError {
  const known = [...parameters, ...ROOTS, ...(hasTarget === true ? ['target'] : [])];
  if (ROOTS.includes(given)) return new TemplateError(`expected a name after it, such as ${EXAMPLES[given]}`);
  return new TemplateError(`there is no "${given}" to take a value from`, { given, known });
}

const EXAMPLES: Readonly<Record<string, string>> = {
  query: 'query.first',
  header: 'header.first',
  request: 'request.host',
  principal: 'principal.id',
  route: 'route.id',
  client: 'client.address',
  exchange: 'exchange.id',
};
