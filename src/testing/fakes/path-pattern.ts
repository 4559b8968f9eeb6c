import { TestingError } from '../testing-error.ts';

/** Which requests an answer is for. */
export interface PathPattern {
  /** As the test has written it. */
  readonly text: string;
  /** The parameters of its path, decoded; undefined where it does not match. */
  match(method: string, path: string): Readonly<Record<string, string>> | undefined;
}

const FORM = /^(?:([A-Z]+|\*) )?(\/[^\s?]*)(?:\?(\S*))?$/;
const SYNTAX = /[.+^$()|[\]\\]/g;

/**
 * Reads a pattern: a method and a path, such as `GET /users/{id}`. Without a method, or with `*`, it is for all; `{name}` is one
 * segment, `*` at the end any rest; parameters of a query are asked for where it names some, in any order.
 *
 * @throws {TestingError} for what has another form.
 */
export function pathPattern(text: string): PathPattern {
  const [, method = '*', path, query] = FORM.exec(text) ?? [];
  if (path === undefined)
    throw new TestingError(
      `expected a method and a path, such as "GET /users/{id}" or "/users/*", given "${text}"`,
    );
  const wanted = [...new URLSearchParams(query)];
  const form = expressionOf(path);
  return {
    text,
    match(given, target) {
      if (method !== '*' && method !== given) return undefined;
      const [before = '', after] = target.split('?');
      const found = form.exec(before);
      if (found === null) return undefined;
      const said = new URLSearchParams(after);
      if (!wanted.every(([name, value]) => said.getAll(name).includes(value))) return undefined;
      const groups = Object.entries(found.groups ?? {});
      return Object.fromEntries(groups.map(([name, value]) => [name, decoded(value)]));
    },
  };
}

function expressionOf(path: string): RegExp {
  const rest = path.endsWith('*');
  const own = (rest ? path.slice(0, -1) : path).replace(SYNTAX, String.raw`\$&`);
  const named = own.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  if (/[{}*]/.test(named.replaceAll(/\(\?<\w+>\[\^\/\]\+\)/g, '')))
    throw new TestingError(`expected {name} for a segment, and * at the end only, in the path "${path}"`);
  return new RegExp(`^${named}${rest ? '.*' : ''}$`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
