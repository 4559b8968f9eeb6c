import { parsePathPattern } from '../../../routing/path-pattern.ts';

/** A path of Kong in the words of a route. */
export interface KongPath {
  /** Of `match.path`. */
  readonly pattern: string;
  /** The path as a template of `rewrite.path`. */
  readonly template: string;
  /** What `strip_path` takes away, where it is a literal. */
  readonly prefix?: string;
  /** Whether a slash at the end is no matter. */
  readonly ignoresSlash?: true;
}

/** A path that cannot be said, with what of it is literal at its beginning. */
export interface OddPath {
  readonly fault: string;
  readonly prefix: string;
}

/** Whether earlier formats than 3.0 take a path for an expression. */
export function looksLikeExpression(path: string): boolean {
  return !/^[A-Za-z0-9._~/%-]*$/.test(path);
}

/** Every path that begins with a text: here by whole segments. */
export function prefixPath(path: string): KongPath | OddPath {
  const prefix = path.replace(/\/+$/, '');
  return checked({ pattern: `${prefix}/*`, template: `${prefix}/{*}`, prefix }, '');
}

/** Every path whose beginning an expression describes; with a `$` the whole path. */
export function expressionPath(source: string): KongPath | OddPath {
  const { bare, isExact, ignoresSlash } = endOf(source.replace(/^\^/, ''));
  if (!/^\\?\//.test(bare) && bare !== '')
    return { fault: 'expected an expression that begins with a slash', prefix: '' };
  const segments = segmentsOf(bare);
  const patterns: string[] = [];
  const templates: string[] = [];
  let isOpen = !isExact;
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (isLast && ANY_REST.test(segment)) {
      isOpen = true;
      break;
    }
    const part = partOf(segment, `p${index + 1}`);
    if (part === undefined)
      return { fault: `"${segment}" reaches over slashes`, prefix: literalPrefix(patterns) };
    patterns.push(part.pattern);
    templates.push(part.template);
  }
  const path = {
    pattern: `${joined(patterns)}${isOpen ? '/*' : ''}` || '/',
    template: `${joined(templates)}${isOpen ? '/{*}' : ''}` || '/',
    ...(ignoresSlash ? { ignoresSlash } : {}),
  };
  return checked(path, literalPrefix(patterns));
}

const ANY_REST = /^\(?(?:\?:)?\.[*+]\??\)?$/;

function joined(parts: readonly string[]): string {
  return parts.map((part) => `/${part}`).join('');
}

// The longest beginning without an expression: what is closed in place of a path that cannot be said.
function literalPrefix(patterns: readonly string[]): string {
  const end = patterns.findIndex((pattern) => pattern.includes('{'));
  return joined(end === -1 ? patterns : patterns.slice(0, end));
}

function checked(path: KongPath, prefix: string): KongPath | OddPath {
  try {
    parsePathPattern(path.pattern);
    return path;
  } catch (error) {
    return { fault: (error as Error).message, prefix };
  }
}

function endOf(source: string): { bare: string; isExact: boolean; ignoresSlash?: true } {
  const rest = /(?:\((?:\?:)?\/\.\*\)\?\$?|\((?:\?:)?(?:\/\|\$|\$\|\/)\))$/.exec(source);
  if (rest !== null) return { bare: source.slice(0, rest.index), isExact: false };
  const slash = /\/\?\$$/.exec(source);
  if (slash !== null) return { bare: source.slice(0, slash.index), isExact: true, ignoresSlash: true };
  const isExact = /(?<!\\)(?:\\\\)*\$$/.test(source);
  return { bare: source.replace(/\$$/, '').replace(/\/\??$/, ''), isExact };
}

/** Between slashes outside of groups and classes; the slash at the beginning is not needed. */
function segmentsOf(source: string): string[] {
  const segments: string[] = [];
  let [current, depth, inClass] = ['', 0, false];
  for (let at = 0; at < source.length; at += 1) {
    const character = source[at] as string;
    const isEscape = character === '\\' && at + 1 < source.length;
    const text = isEscape ? source.slice(at, at + 2) : character;
    if (isEscape) at += 1;
    if (text === '[') inClass = true;
    if (text === ']') inClass = false;
    if (!inClass && text === '(') depth += 1;
    if (!inClass && text === ')') depth -= 1;
    const isSlash = (text === '/' || text === String.raw`\/`) && depth === 0 && !inClass;
    if (!isSlash) current += text;
    else {
      segments.push(current);
      current = '';
    }
  }
  segments.push(current);
  return segments.slice(1);
}

const NAMED = /^\(\?P?<([A-Za-z_]\w*)>((?:[^()\\]|\\.)*)\)$/;
const ANY_SEGMENT = /^(?:\[\^\/?\][*+]|\.[*+])\??$/;

function partOf(segment: string, fallback: string): { pattern: string; template: string } | undefined {
  const literal = literalOf(segment);
  if (literal !== undefined) return { pattern: literal, template: literal };
  // A choice at the top would be one between whole paths.
  if (segment.replaceAll(/\([^()]*\)|\[[^\]]*\]|\\./g, '').includes('|')) return undefined;
  const [, name = fallback, inner = segment] = NAMED.exec(segment) ?? [];
  const expression = withoutSlashes(inner);
  if (expression.includes('/')) return undefined;
  const pattern =
    ANY_SEGMENT.test(expression) || expression === '[^]+' ? `{${name}}` : `{${name}:${expression}}`;
  return { pattern, template: `{${name}}` };
}

// A segment has no slash anyway: `[^/.]` is `[^.]`, and `[^/]` is any character.
function withoutSlashes(expression: string): string {
  return expression.replaceAll(/\[\^((?:[^\]\\]|\\.)*)\]/g, (_, inner: string) => {
    const rest = inner.replaceAll(/\\?\//g, '');
    return rest === '' ? '.' : `[^${rest}]`;
  });
}

function literalOf(segment: string): string | undefined {
  const bare = segment.replaceAll(/\\([^A-Za-z0-9])/g, '');
  if (bare === '' && segment === '') return undefined;
  if (/[\\^$.|?*+()[\]{}]/.test(bare)) return undefined;
  return segment.replaceAll(/\\([^A-Za-z0-9])/g, '$1');
}
