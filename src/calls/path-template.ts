import { Problem } from '../problems/problem.ts';
import { parseTemplate } from '../templates/parse-template.ts';
import { isDotValue } from '../upstreams/http/path-value.ts';

/**
 * Compiles `/users/{id}` and a list of query names into a function from an input to path and query. Values are
 * percent-encoded; in the query a list becomes its values joined by commas, and an absent value is left out.
 *
 * The function throws `request-invalid` for a value that would lead to another path: an absent or empty one,
 * `.` or `..` or one with such a part, also for a server that trims or decodes twice. Such values come from clients,
 * and `/users/` is not a user.
 *
 * @throws {Error} for a template without a leading slash or with an unclosed brace.
 */
export function compilePathTemplate<In extends object>(
  template: string,
  query: readonly (keyof In & string)[],
): (input: In) => string {
  const { literals, placeholders } = parseTemplate(template);
  const isStrange = placeholders.some(({ name, fallback }) => !NAME.test(name) || fallback !== undefined);
  if (!template.startsWith('/') || isStrange || literals.some((literal) => /[{}]/.test(literal))) {
    throw new Error(`the path "${template}" must start with / and have only {name} parameters`);
  }
  const names = placeholders.map(({ name }) => name);
  return (input) => {
    let path = literals[0] as string;
    for (let i = 0; i < names.length; i += 1) {
      const name = names[i] as string;
      path += segment(name, field(input, name)) + (literals[i + 1] as string);
    }
    return query.length === 0 ? path : path + queryOf(input, query);
  };
}

const NAME = /^[A-Za-z_]\w*$/;

function field(input: object, name: string): unknown {
  return (input as Readonly<Record<string, unknown>>)[name];
}

function segment(name: string, value: unknown): string {
  const text = value === undefined || value === null ? '' : String(value);
  if (text === '' || isDotValue(text) || !text.isWellFormed()) {
    throw new Problem('request-invalid', { detail: `${name} cannot be part of a path` });
  }
  return encodeURIComponent(text);
}

function queryOf(input: object, names: readonly string[]): string {
  let query = '';
  for (const name of names) {
    const value = field(input, name);
    if (value === undefined || value === null) continue;
    query += `${query === '' ? '?' : '&'}${name}=${encodeURIComponent(String(value).toWellFormed())}`;
  }
  return query;
}
