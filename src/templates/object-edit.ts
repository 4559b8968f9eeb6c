import { TemplateError } from './template-fault.ts';
import { isObject } from './value-path.ts';

/** What `pick`, `omit` and `rename` say. */
export interface ObjectEditOptions {
  readonly pick?: unknown;
  readonly omit?: unknown;
  readonly rename?: unknown;
}

/** Edits an object, or each element of a list; `null` for everything else. */
export type ObjectEdit = (value: unknown) => unknown;

/**
 * Compiles `pick`, `omit` and `rename`: first fields are chosen by the names that they came with, then they get
 * new ones. A picked field that is not there is `null`, so that the shape is always complete.
 *
 * @throws {TemplateError} when they make no sense.
 */
export function compileObjectEdit({ pick, omit, rename }: ObjectEditOptions): ObjectEdit | undefined {
  if (pick === undefined && omit === undefined && rename === undefined) return undefined;
  if (pick !== undefined && omit !== undefined) throw new TemplateError('expected either pick or omit');
  const picked = pick === undefined ? undefined : namesOf('pick', pick);
  const omitted = new Set(omit === undefined ? [] : namesOf('omit', omit));
  const renamed = renamesOf(rename, picked);
  const edit = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> => {
    const chosen = picked ?? Object.keys(fields).filter((name) => !omitted.has(name));
    // Unlike an assignment, this keeps a field called `__proto__` a field.
    return Object.fromEntries(
      chosen.map((name) => [renamed.get(name) ?? name, Object.hasOwn(fields, name) ? fields[name] : null]),
    );
  };
  const one = (value: unknown): unknown => (isObject(value) ? edit(value) : null);
  return (value) => (Array.isArray(value) ? value.map(one) : one(value));
}

function namesOf(key: string, given: unknown): readonly string[] {
  const isList = Array.isArray(given) && given.length > 0 && given.every((name) => typeof name === 'string');
  if (!isList) throw new TemplateError(`expected a list of field names for ${key}`);
  return given as readonly string[];
}

function renamesOf(given: unknown, picked: readonly string[] | undefined): ReadonlyMap<string, string> {
  if (given === undefined) return new Map();
  const entries = isObject(given) ? Object.entries(given) : [];
  if (entries.length === 0 || !entries.every(([, to]) => typeof to === 'string')) {
    throw new TemplateError('expected a map of old to new field names for rename');
  }
  const renames = new Map(entries as [string, string][]);
  const stray = picked && [...renames.keys()].find((name) => !picked.includes(name));
  if (stray !== undefined) {
    throw new TemplateError(`"${stray}" is renamed but not picked`, { given: stray, known: picked ?? [] });
  }
  const names = picked?.map((name) => renames.get(name) ?? name) ?? [...renames.values()];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new TemplateError(`two fields would be called "${twice}"`);
  return renames;
}
