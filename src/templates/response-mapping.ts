import { TemplateError, type TemplateFaults } from './template-fault.ts';
import type { TemplateScope, Read } from './template-scope.ts';
import { parseTemplate, type Placeholder } from './parse-template.ts';
import { compileObjectEdit } from './object-edit.ts';
import { isObject, textOf } from './value-path.ts';
import { compileSource, type ValueNames, type ValueSource } from './value-source.ts';

type Path = readonly (string | number)[];

/** What a mapping is compiled with. */
export interface MappingDeps {
  readonly names: ValueNames;
  readonly faults: TemplateFaults;
  /** Hears of every value that the mapping takes. */
  readonly used: (source: ValueSource) => void;
  /** Takes a value; default: what is not there is `null`. */
  readonly read?: (source: ValueSource) => Read;
}

const DIRECTIVES: Readonly<Record<string, readonly string[]>> = {
  from: ['from', 'pick', 'omit', 'rename'],
  merge: ['merge'],
  each: ['each', 'as'],
};

/**
 * Compiles a template of JSON: a map of templates, a list of them, a text that names a value (`user.name`, or
 * `{id}` within other text), one of the directives, or a number, boolean or null that stands for itself. Faults
 * are collected; what is faulty maps to `null`.
 */
export function compileMapping(template: unknown, path: Path, deps: MappingDeps): Read {
  if (typeof template === 'string') return compileText(template, path, deps);
  if (Array.isArray(template)) {
    const items = template.map((item, index) => compileMapping(item, [...path, index], deps));
    return (scope) => items.map((read) => read(scope));
  }
  if (!isObject(template)) return () => template;
  const directive = Object.keys(DIRECTIVES).find((name) => Object.hasOwn(template, name));
  if (directive === undefined) return compileGroup(template, path, deps);
  assertKeys(template, path, { directive, faults: deps.faults });
  if (directive === 'merge') return compileMerge(template['merge'], [...path, 'merge'], deps);
  return directive === 'each' ? compileEach(template, path, deps) : compileFrom(template, path, deps);
}

/** Compiles a map of templates. */
export function compileGroup(
  template: Readonly<Record<string, unknown>>,
  path: Path,
  deps: MappingDeps,
): (scope: TemplateScope) => Record<string, unknown> {
  const fields = Object.entries(template).map(([name, inner]) => {
    if (name === '__proto__') deps.faults.add([...path, name], 'expected another name for a field');
    return [name, compileMapping(inner, [...path, name], deps)] as const;
  });
  return (scope) => {
    const group: Record<string, unknown> = {};
    for (const [name, read] of fields) group[name] = read(scope);
    return group;
  };
}

/** Compiles a shallow merge: of fields with one name the last counts, what is no object adds nothing. */
export function compileMerge(
  list: unknown,
  path: Path,
  deps: MappingDeps,
): (scope: TemplateScope) => Record<string, unknown> | null {
  if (!Array.isArray(list) || list.length === 0) {
    deps.faults.add(path, 'expected a list of what is merged');
    return () => null;
  }
  const reads = list.map((item, index) => compileMapping(item, [...path, index], deps));
  return (scope) => {
    const objects = reads.map((read) => read(scope)).filter(isObject);
    // Unlike an assignment, this keeps a field called `__proto__` a field.
    return objects.length === 0 ? null : Object.fromEntries(objects.flatMap(Object.entries));
  };
}

function compileText(text: string, path: Path, deps: MappingDeps): Read {
  const take = ({ name, fallback }: Placeholder): Read => {
    const source = deps.faults.attempt(path, () => compileSource(name, deps.names));
    if (source === undefined) return () => null;
    deps.used(source);
    if (fallback !== undefined) return (scope) => source.read(scope) ?? fallback;
    return deps.read?.(source) ?? ((scope) => source.read(scope) ?? null);
  };
  const template = deps.faults.attempt(path, () => parseTemplate(text));
  if (template === undefined) return () => null;
  const { literals, placeholders } = template;
  const [only, ...more] = placeholders;
  // A text without a brace is a name.
  if (only === undefined) return take({ name: literals[0] as string, fallback: undefined });
  if (more.length === 0 && literals.every((literal) => literal === '')) return take(only);
  const reads = placeholders.map(take);
  return (scope) => {
    let filled = literals[0] as string;
    for (let i = 0; i < reads.length; i += 1) {
      const piece = textOf(reads[i]?.(scope));
      if (piece === undefined) return null;
      filled += piece + (literals[i + 1] as string);
    }
    return filled;
  };
}

function compileFrom(template: Readonly<Record<string, unknown>>, path: Path, deps: MappingDeps): Read {
  const read = compileMapping(template['from'], [...path, 'from'], deps);
  const edit = deps.faults.attempt(path, () => compileObjectEdit(template));
  if (edit === undefined) return read;
  return (scope) => {
    const value = read(scope);
    scope.count(value);
    return edit(value);
  };
}

function compileEach(template: Readonly<Record<string, unknown>>, path: Path, deps: MappingDeps): Read {
  const list = compileMapping(template['each'], [...path, 'each'], deps);
  if (template['as'] === undefined) deps.faults.add(path, 'expected `as`: what each element becomes');
  const names = { ...deps.names, hasItem: true };
  const map = compileMapping(template['as'] ?? null, [...path, 'as'], { ...deps, names });
  return (scope) => {
    const items = list(scope);
    if (!Array.isArray(items)) return null;
    scope.count(items);
    const outer = scope.item;
    const mapped = items.map((item) => {
      scope.item = item;
      return map(scope);
    });
    scope.item = outer;
    return mapped;
  };
}

function assertKeys(
  template: Readonly<Record<string, unknown>>,
  path: Path,
  { directive, faults }: { readonly directive: string; readonly faults: TemplateFaults },
): void {
  const known = DIRECTIVES[directive] ?? [];
  for (const key of Object.keys(template)) {
    if (known.includes(key)) continue;
    const about = { given: key, known };
    const { message, suggestion } = new TemplateError(`unknown key beside \`${directive}\``, about);
    faults.add([...path, key], message, suggestion);
  }
}
