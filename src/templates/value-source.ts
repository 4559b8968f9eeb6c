import { compileSource as compileCommon, ROOTS, type Source } from './source.ts';
import { TemplateError } from './template-fault.ts';
import type { Read } from './template-scope.ts';
import { readPath } from './value-path.ts';

/** The names that values of a route can be taken from. */
export interface ValueNames {
  /** Parameters of the path, in the order of the pattern. */
  readonly parameters: readonly string[];
  /** Calls, in the order of the file. */
  readonly calls: readonly string[];
  /** Whether `item` stands for the element of a list. */
  readonly hasItem?: boolean;
  /** Whether the request can be named, by more than its path and its principal. Default true. */
  readonly hasRequest?: boolean;
}

/** Where a value comes from, compiled. */
export interface ValueSource {
  /** As it stands in the file. */
  readonly text: string;
  readonly read: Read;
  /** What decides about it; whose fault it is when there is none follows from that. */
  readonly of: Source['of'] | 'call';
  /** Index of the call that has to be answered first. */
  readonly call?: number;
  /** Lower-case name of the field of the request that the value is taken from. */
  readonly header?: string | undefined;
}

/** Names that calls cannot have, because they stand for something else. */
export const RESERVED_NAMES: readonly string[] = ['query', 'header', 'principal', 'item', 'degraded'];

const STEP = /^[A-Za-z0-9_$@-]+$/;

/**
 * Compiles the name of a value: what every template can name, and `feed.items.0.id` of an answer.
 *
 * @throws {TemplateError} when there is nothing of that name.
 */
export function compileSource(text: string, names: ValueNames): ValueSource {
  const [first = '', ...steps] = text.split('.');
  const call = names.parameters.includes(first) ? -1 : names.calls.indexOf(first);
  if (call >= 0) {
    assertSteps(text, steps);
    const read: Read =
      steps.length === 0 ? ({ answers }) => answers[call] : ({ answers }) => readPath(answers[call], steps);
    return { text, of: 'call', call, read };
  }
  if (first === 'item' && names.hasItem === true) {
    assertSteps(text, steps);
    return { text, of: 'call', read: ({ item }) => readPath(item, steps) };
  }
  const roots = names.hasRequest === false ? ['principal'] : ROOTS;
  if (!names.parameters.includes(first) && !roots.includes(first)) throw unknown(first, names, roots);
  const { of, header, ...source } = compileCommon(text, names);
  return { text, of, header, read: ({ exchange }) => source.read(exchange) };
}

function assertSteps(text: string, steps: readonly string[]): void {
  if (steps.every((step) => STEP.test(step))) return;
  throw new TemplateError(`expected names and indexes between dots, such as feed.items.0.id, got "${text}"`);
}

function unknown(given: string, names: ValueNames, roots: readonly string[]): TemplateError {
  const { parameters, calls, hasItem, hasRequest } = names;
  const known = [...parameters, ...calls, ...roots, ...(hasItem === true ? ['item'] : [])];
  return new TemplateError(unknownName(given, hasRequest !== false), { given, known });
}

function unknownName(name: string, asks: boolean): string {
  if (!asks) return `there is no parameter "${name}" to take a value from, nor anything else of that name`;
  if (name === 'item') return 'there is an `item` only below `as`';
  return `there is no parameter and no call "${name}" to take a value from`;
}
