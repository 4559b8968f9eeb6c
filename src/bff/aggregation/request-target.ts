import { IN_PATH, IN_QUERY, parseTarget } from '../../routing/target-template.ts';
import type { Placeholder } from '../../templates/parse-template.ts';
import { unusable as unusableCommon, type Place } from '../../templates/template.ts';
import { Problem } from '../../problems/problem.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';
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

/**
 * Compiles a template such as `/users/{id}?first={query.first}`.
 *
 * @throws {TemplateError} when it is no path, or a placeholder names nothing.
 */
export function compileTarget(text: string, names: ValueNames): RequestTarget {
  const { path, query } = parseTarget(text);
  const inPath = path.placeholders.map((one) => compileValue(one, names, IN_PATH));
  const values = [...inPath, ...query.placeholders.map((one) => compileValue(one, names, IN_QUERY))];
  const seam = (path.literals.at(-1) ?? '') + (query.literals[0] ?? '');
  const literals = [...path.literals.slice(0, -1), seam, ...query.literals.slice(1)];
  return {
    sources: values.map(({ source }) => source),
    fill(scope) {
      let target = literals[0] as string;
      for (let i = 0; i < values.length; i += 1)
        target += (values[i] as Value).read(scope) + (literals[i + 1] as string);
      return target;
    },
  };
}

interface Value {
  readonly source: ValueSource;
  read(scope: TemplateScope): string;
}

function compileValue({ name, fallback }: Placeholder, names: ValueNames, place: Place): Value {
  const source = compileSource(name, names);
  const standIn = fallback === undefined || fallback === '' ? fallback : place.write(fallback);
  if (fallback !== undefined && standIn === undefined)
    throw new TemplateError(`the default "${fallback}" ${place.misfit}`);
  return {
    source,
    read(scope) {
      const text = textOf(source.read(scope));
      if (text === undefined && standIn !== undefined) return standIn;
      if (text === undefined) throw unusable(source, 'is missing');
      const written = place.write(text);
      if (written === undefined) throw unusable(source, place.misfit);
      return written;
    },
  };
}

/** A value that has to be there, for a message. @throws {Problem} when it is missing or empty. */
export function requiredValue(source: ValueSource, scope: TemplateScope): unknown {
  const value = source.read(scope);
  if (value === undefined || value === null || value === '') throw unusable(source, 'is missing');
  return JSON.isRawJSON(value) ? textOf(value) : value;
}

function unusable({ text, of }: ValueSource, what: string): Problem {
  if (of !== 'call') return unusableCommon({ text, of }, what);
  return new Problem('upstream-response-invalid', { cause: new PlainFault(`${text} ${what}`) });
}
