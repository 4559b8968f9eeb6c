import { jsonOf, listOf, textOf, type Json } from '../resource.ts';
import { unsupported } from './faults.ts';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']);

/** What a match of an HTTPRoute is as a `match` of the file, but for hosts and ports. */
export function matchOf(match: Json, field: string): Json {
  const { method } = match;
  if (method !== undefined && !METHODS.has(textOf(method)))
    throw unsupported(`${field}.method`, `${textOf(method)} is not supported`);
  return {
    path: pathPattern(jsonOf(match['path']), `${field}.path`),
    // Whoever takes GET takes HEAD, unless a route says HEAD itself.
    ...(method !== undefined && { methods: [method] }),
    ...values('headers', listOf(match['headers']), field, true),
    ...values('query', listOf(match['queryParams']), field, false),
  };
}

/** The pattern for a path. @throws {ObjectFault} for one that cannot be said. */
export function pathPattern({ type = 'PathPrefix', value = '/' }: Json, field: string): string {
  const text = textOf(value);
  if (!text.startsWith('/')) throw unsupported(field, 'expected a path that starts with /');
  if (type === 'RegularExpression') return expressionPattern(text, field);
  if (/[{}*]/.test(text)) throw unsupported(field, 'has one of { } *, which are not supported in paths');
  if (type === 'Exact') return text;
  if (type !== 'PathPrefix') throw unsupported(`${field}.type`, `${textOf(type)} is not supported`);
  const bare = text.replace(/\/+$/, '');
  return `${bare}/*`;
}

const LITERAL = /^[A-Za-z0-9_~-]*$/;
/** What a segment cannot be cut at: a bracket that is not closed in it. */
const CUT = /^[^([{]*[)\]}]|[([{][^)\]}]*$/;

// An expression holds within a segment; one over several is none that routes could be ordered by.
function expressionPattern(text: string, field: string): string {
  const inner = text.replace(/\$$/, '').replaceAll('[^/]', '.');
  const isPrefix = inner.endsWith('/.*');
  const segments = (isPrefix ? inner.slice(0, -3) : inner).slice(1).split('/');
  const parts = segments.map((segment, index) => {
    if (LITERAL.test(segment)) return segment;
    const plain = segment.replace(/\\([.\-~])/g, '$1');
    if (/^[A-Za-z0-9_.~-]*$/.test(plain) && !/(?<!\\)\./.test(segment)) return plain;
    if (CUT.test(segment) || segment.includes('(?'))
      throw unsupported(field, 'an expression over several segments is not supported');
    return `{r${index}:${segment}}`;
  });
  return `/${parts.join('/')}${isPrefix ? '/*' : ''}`;
}

function values(key: string, list: readonly Json[], field: string, isField: boolean): Json {
  if (list.length === 0) return {};
  const pairs = new Map<string, unknown>();
  list.forEach(({ name, type = 'Exact', value }, index) => {
    const place = `${field}.${isField ? 'headers' : 'queryParams'}[${index}]`;
    if (type !== 'Exact' && type !== 'RegularExpression')
      throw unsupported(`${place}.type`, `${textOf(type)} is not supported`);
    const own = isField ? textOf(name).toLowerCase() : textOf(name);
    // Of several of one name the first counts, as specified.
    if (!pairs.has(own)) pairs.set(own, type === 'Exact' ? { exact: value } : { regex: value });
  });
  return { [key]: Object.fromEntries(pairs) };
}

/** What a match of a GRPCRoute is as a `match` of the file. */
export function grpcMatchOf(match: Json, field: string): Json {
  const { type = 'Exact', service, method } = jsonOf(match['method']);
  if (type !== 'Exact' && type !== 'RegularExpression')
    throw unsupported(`${field}.method.type`, `${textOf(type)} is not supported`);
  const part = (value: unknown, name: string): string => {
    if (value === undefined || value === '')
      return name === 'method' && service !== undefined ? '*' : `{${name}}`;
    return type === 'Exact' ? textOf(value) : `{${name}:${textOf(value)}}`;
  };
  const isAny = service === undefined && method === undefined;
  return {
    path: isAny ? '/*' : `/${part(service, 'service')}/${part(method, 'method')}`,
    ...values('headers', listOf(match['headers']), field, true),
  };
}
