import { Problem } from '../../problems/problem.ts';
import { isDotValue } from '../../upstreams/http/path-value.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';
import { normalizePath, splitTarget } from '../../routing/request-path.ts';
import { TemplateError } from '../../templates/template-fault.ts';
import type { TemplateScope } from '../../templates/template-scope.ts';
import { textOf } from '../../templates/value-path.ts';
import { compileSource, type ValueNames, type ValueSource } from '../../templates/value-source.ts';

/** Path and query of a call, compiled. */
export interface RequestTarget {
  readonly sources: readonly ValueSource[];
  /**
   * Fills in the values, percent-encoded.
   *
   * @throws {Problem} for a value that is missing, or that would lead to another path.
   */
  fill(scope: TemplateScope): string;
}

const PLACEHOLDER = /\{([^{}]*)\}/g;
/** What servers take for a separator also when it is encoded. */
const SEPARATOR = /[/\\\p{Cc}]/u;

/**
 * Compiles a template such as `/users/{id}?first={query.first}`.
 *
 * @throws {TemplateError} when it is no path, or a placeholder names nothing.
 */
export function compileTarget(text: string, names: ValueNames): RequestTarget {
  const parts = text.split(PLACEHOLDER);
  const literals = parts.filter((_, index) => index % 2 === 0);
  assertLiterals(text, literals);
  const sources = parts.filter((_, index) => index % 2 === 1).map((name) => compileSource(name, names));
  const pathEnds = literals.findIndex((literal) => literal.includes('?'));
  const inPath = pathEnds < 0 ? sources.length : pathEnds;
  return {
    sources,
    fill(scope) {
      let target = literals[0] as string;
      for (let i = 0; i < sources.length; i += 1) {
        target += encoded(sources[i] as ValueSource, scope, i < inPath) + (literals[i + 1] as string);
      }
      return target;
    },
  };
}

/** A value that has to be there, for a message. @throws {Problem} when it is missing or empty. */
export function requiredValue(source: ValueSource, scope: TemplateScope): unknown {
  const value = source.read(scope);
  if (value === undefined || value === null || value === '') throw unusable(source, 'is missing');
  return JSON.isRawJSON(value) ? textOf(value) : value;
}

function encoded(source: ValueSource, scope: TemplateScope, inPath: boolean): string {
  const text = textOf(source.read(scope));
  if (text === undefined) throw unusable(source, 'is missing');
  // Fail closed: `..` has no encoding, and some servers decode a slash before they look at the path.
  if (inPath && (isDotValue(text) || SEPARATOR.test(text)))
    throw unusable(source, 'cannot be part of a path');
  return encodeURIComponent(text);
}

function unusable({ text, giver }: ValueSource, what: string): Problem {
  if (giver === 'client') return new Problem('request-invalid', { detail: `${text} ${what}.` });
  const cause = new PlainFault(`${text} ${what}`);
  if (giver === 'principal') return new Problem('permission-denied', { cause });
  return new Problem('upstream-response-invalid', { cause });
}

function assertLiterals(text: string, literals: readonly string[]): void {
  if (!text.startsWith('/')) throw new TemplateError(`expected a path that starts with "/", got "${text}"`);
  if (literals.some((literal) => /[{}]/.test(literal))) {
    throw new TemplateError(`expected {name} for each value, got "${text}"`);
  }
  if (literals.some((literal) => /[^\x21-\x7e]|#/.test(literal))) {
    throw new TemplateError(`expected a percent-encoded path and query, got "${text}"`);
  }
  const { path } = splitTarget(literals.join('x'));
  if (normalizePath(path) === undefined) {
    throw new TemplateError(`expected a path without empty and dot segments, got "${text}"`);
  }
}
