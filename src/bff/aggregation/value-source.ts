import { compileSource as compileCommon, ROOTS, type Source } from '../../template/source.ts';
import { TemplateError } from '../../template/template-error.ts';
import { AggregateError } from './aggregate-fault.ts';
import type { Read } from './aggregate-scope.ts';
import { readPath } from './value-path.ts';

/** The names that values of a route can be taken from. */
export interface ValueNames {
  /** Parameters of the path, in the order of the pattern. */
  readonly parameters: readonly string[];
  /** Calls, in the order of the file. */
  readonly calls: readonly string[];
  /** Whether `item` stands for the element of a list. */
  readonly hasItem?: boolean;
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
  if (!isKnown(first, names)) throw unknown(first, names);
  const { of, header, ...source } = compileCommon(text, names);
  return { text, of, header, read: ({ exchange }) => source.read(exchange) };
}

function isKnown(first: string, { parameters }: ValueNames): boolean {
  return parameters.includes(first) || ROOTS.some((root) => root === first);
}

function assertSteps(text: string, steps: readonly string[]): void {
  if (steps.every((step) => STEP.test(step))) return;
  throw new AggregateError(`expected names and indexes between dots, such as feed.items.0.id, got "${text}"`);
}

function unknown(given: string, { parameters, calls, hasItem }: ValueNames): TemplateError {
  if (given === 'item') return new TemplateError('there is an `item` only below `as`');
  const known = [...parameters, ...calls, ...ROOTS, ...(hasItem === true ? ['item'] : [])];
  return new TemplateError(`there is no parameter and no call "${given}" to take a value from`, {
    given,
    known,
  });
}
