import type { PathPattern } from '../routing/path-pattern.ts';

/** A path pattern as OpenAPI writes it. */
export interface OperationPath {
  /** With `{name}` for parameters; the rest is a parameter as well. */
  readonly template: string;
  /** Equal for templates that differ only in the names of their parameters, which OpenAPI takes for the same. */
  readonly shape: string;
  /** Names in the order of the pattern. */
  readonly names: readonly string[];
  /** Name of the parameter that stands for the rest of the path, which may be empty and have slashes. */
  readonly rest: string | undefined;
}

/** Writes a pattern as an OpenAPI path template (OpenAPI 3.1.1 section 4.8.2). */
export function operationPath(pattern: PathPattern): OperationPath {
  const names = pattern.parameters.filter((name) => name !== '*');
  const rest = pattern.wildcard ? unused('rest', names) : undefined;
  const segments = pattern.segments.map((segment) =>
    segment.kind === 'literal' ? segment.text : `{${segment.name}}`,
  );
  if (rest !== undefined) segments.push(`{${rest}}`);
  const template = `/${segments.join('/')}${pattern.slash ? '/' : ''}${pattern.verb ?? ''}`;
  return {
    template,
    shape: template.replace(/\{[^}]*\}/g, '{}'),
    names: rest === undefined ? names : [...names, rest],
    rest,
  };
}

function unused(wanted: string, taken: readonly string[]): string {
  let name = wanted;
  for (let count = 2; taken.includes(name); count += 1) name = `${wanted}${count}`;
  return name;
}
