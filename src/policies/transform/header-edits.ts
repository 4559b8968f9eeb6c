import type { Exchange } from '../../exchange/exchange.ts';
import { encodeFieldValue } from '../../exchange/identity-headers.ts';
import { foldName } from '../../exchange/reserved-names.ts';
import type { SourceNames } from '../../templates/source.ts';
import { TemplateError } from '../../templates/template-fault.ts';
import { compileTemplate, type Place, type Template } from '../../templates/template.ts';
import { StageFault } from '../stage-fault.ts';

/** Edits of header fields as they are declared; values are templates. */
export interface HeaderEditOptions {
  readonly setHeaders?: Readonly<Record<string, string>> | undefined;
  readonly addHeaders?: Readonly<Record<string, string>> | undefined;
  readonly renameHeaders?: Readonly<Record<string, string>> | undefined;
  readonly removeHeaders?: readonly string[] | undefined;
}

/** Edits of the header fields of one message. */
export interface HeaderEdits {
  /** Flat list of fields that take the place of those of their names: name, value. */
  readonly set: readonly string[];
  /** Flat list of fields that come beside those of their names. */
  readonly add: readonly string[];
  /** New names by the lower-case names of fields that get them; undefined for none. */
  readonly renames: ReadonlyMap<string, string> | undefined;
  /** Lower-case names that go: those removed, and those set anew. */
  readonly drop: ReadonlySet<string>;
  /** Folded names that are not a client's to say, in any spelling: those that go, are renamed or are a new name. */
  readonly folded: ReadonlySet<string>;
  /** Names and values of what was made of more than path and query: an answer may depend on them. */
  readonly telling: readonly string[];
}

/** Edits of one route: the same for every exchange, or filled in for each. */
export interface HeaderEditor {
  /** Those that are always the same; undefined where values have to be filled in. */
  readonly fixed: HeaderEdits | undefined;
  /** @throws {Problem} for a value that is missing, where that is refused. */
  editsFor(exchange: Exchange): HeaderEdits;
}

/** How edits are compiled. */
export interface HeaderEditNames extends SourceNames {
  /** Whether a value that is missing and has no default is refused; else its field is left out. */
  readonly refusesMissing: boolean;
}

/**
 * A value of a header field. What the client has said in another one stays as it was: it came over the wire in one line.
 * Everything else is written as the fields of identity are.
 */
const IN_FIELD: Place = {
  write: (text, source) => (source === undefined || source.of === 'header' ? text : encodeFieldValue(text)),
  misfit: 'cannot be part of a header field',
};

interface Field {
  readonly name: string;
  readonly value: string | Template;
}

/**
 * Compiles the edits of a transform; undefined when there is nothing to do.
 *
 * @throws {StageFault} for a value that names nothing.
 */
export function compileHeaderEdits(
  options: HeaderEditOptions,
  names: HeaderEditNames = { refusesMissing: true },
): HeaderEditor | undefined {
  const set = fieldsOf('setHeaders', options, names);
  const add = fieldsOf('addHeaders', options, names);
  const renamed = Object.entries(options.renameHeaders ?? {}).map(
    (pair) => pair.map(lower) as [string, string],
  );
  // What is set has the last word.
  const isSet = new Set(set.map(({ name }) => name));
  const renames = renamed.filter(([, to]) => !isSet.has(to));
  const lost = renamed.filter(([, to]) => isSet.has(to)).map(([from]) => from);
  const drop = new Set([...isSet, ...(options.removeHeaders ?? []).map(lower), ...lost]);
  if (drop.size + add.length + renames.length === 0) return undefined;
  const base = {
    renames: renames.length === 0 ? undefined : new Map(renames),
    drop,
    folded: new Set([...drop, ...renames.flat()].map(foldName)),
  };
  return editorOf({ set, add, base }, names.refusesMissing);
}

function lower(name: string): string {
  return name.toLowerCase();
}

function fieldsOf(key: 'setHeaders' | 'addHeaders', options: HeaderEditOptions, names: SourceNames): Field[] {
  return Object.entries(options[key] ?? {}).map(([name, text]) => {
    try {
      const template = compileTemplate(text, names, IN_FIELD);
      // What is left of a text without values says what `{{` stands for.
      const value = template.sources.length === 0 ? template.literal : template;
      return { name: name.toLowerCase(), value };
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      throw new StageFault([key, name], error.message, error.suggestion);
    }
  });
}

interface EditorParts {
  readonly set: readonly Field[];
  readonly add: readonly Field[];
  readonly base: Pick<HeaderEdits, 'renames' | 'drop' | 'folded'>;
}

function editorOf({ set, add, base }: EditorParts, refusesMissing: boolean): HeaderEditor {
  const isFixed = [...set, ...add].every(({ value }) => typeof value === 'string');
  const fill = (fields: readonly Field[], exchange: Exchange, telling: string[]): string[] => {
    const filled: string[] = [];
    for (const { name, value } of fields) {
      if (typeof value === 'string') {
        filled.push(name, value);
        continue;
      }
      const text = refusesMissing ? value.fill(exchange) : value.fillIfThere(exchange);
      if (text === undefined || text === '') continue;
      filled.push(name, text);
      if (value.sources.some(isTelling)) telling.push(name, text);
    }
    return filled;
  };
  const editsFor = (exchange: Exchange): HeaderEdits => {
    const telling: string[] = [];
    return { set: fill(set, exchange, telling), add: fill(add, exchange, telling), ...base, telling };
  };
  if (!isFixed) return { fixed: undefined, editsFor };
  const flat = (fields: readonly Field[]) => fields.flatMap(({ name, value }) => [name, value as string]);
  const fixed = Object.freeze({ set: flat(set), add: flat(add), ...base, telling: NONE });
  return { fixed, editsFor: () => fixed };
}

const NONE: readonly string[] = Object.freeze([]);

/** Edits that edit nothing. */
export const NO_EDITS: HeaderEdits = Object.freeze({
  set: NONE,
  add: NONE,
  renames: undefined,
  drop: new Set<string>(),
  folded: new Set<string>(),
  telling: NONE,
});

// The id of an exchange is another one each time: no answer can be chosen by it.
function isTelling({ of }: Template['sources'][number]): boolean {
  return of === 'header' || of === 'principal' || of === 'client';
}

/** Applies edits to a flat list of fields in place: renames, removes, sets and adds. */
export function editHeaders(headers: string[], edits: HeaderEdits): void {
  const { renames, drop } = edits;
  const replaced = renames === undefined ? undefined : replacedBy(headers, renames);
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const plain = name.toLowerCase();
    const renamed = renames?.get(plain);
    if (renamed === undefined && (drop.has(plain) || replaced?.has(plain) === true)) continue;
    headers[kept] = renamed ?? name;
    headers[kept + 1] = headers[i + 1] as string;
    kept += 2;
  }
  headers.length = kept;
  headers.push(...edits.set, ...edits.add);
}

/** The new names of fields that are there: what had them before is replaced. */
function replacedBy(headers: readonly string[], renames: ReadonlyMap<string, string>): Set<string> {
  const replaced = new Set<string>();
  for (let i = 0; i < headers.length; i += 2) {
    const to = renames.get((headers[i] as string).toLowerCase());
    if (to !== undefined) replaced.add(to);
  }
  return replaced;
}

/** The lines of a field that a service gets, of what the client has sent and the route edits. */
export function editedLines(rawHeaders: readonly string[], name: string, edits?: HeaderEdits): string[] {
  if (edits === undefined) return linesOf(rawHeaders, name);
  const { renames, drop, set, add, folded } = edits;
  const sources = renames === undefined ? [] : [...renames].filter(([, to]) => to === name);
  const own = drop.has(name) || folded.has(foldName(name)) ? [] : linesOf(rawHeaders, name);
  const moved = sources.flatMap(([from]) => linesOf(rawHeaders, from));
  return [...own, ...moved, ...linesOf(set, name), ...linesOf(add, name)];
}

function linesOf(fields: readonly string[], name: string): string[] {
  return fields.filter((_, i) => i % 2 === 1 && fields[i - 1]?.toLowerCase() === name);
}
