import { z } from 'zod';
import { ABSENT, changeAt, fieldOf, isFields, type Change } from './body-edit.ts';
import { BodyPathError, EACH, parseBodyPath, parseFieldPath, type Step } from './body-path.ts';
import { compileKept } from './kept-fields.ts';

const LIST = '[]';
const paths = z.array(z.string()).min(1);
const pathMap = z
  .record(z.string(), z.string())
  .refine((map) => Object.keys(map).length > 0, 'expected at least one path');

/** One operation on a body; the paths of all of them are of one grammar. */
export const bodyOperation = z
  .strictObject({
    keep: paths.describe('Paths of all that stays; the rest goes.').optional(),
    remove: paths.describe('Paths of fields that go.').optional(),
    rename: pathMap.describe('New names of fields, by path: { user.name: fullName }.').optional(),
    move: pathMap
      .describe('Where fields go, by path: { user.name: name }. Lists on the way have to be the same.')
      .optional(),
    default: z
      .record(z.string(), z.unknown())
      .describe('Values of fields that are not there, by path; objects on the way are made.')
      .optional(),
    wrap: z
      .union([z.string(), pathMap])
      .describe('Name of a field that takes the whole, or names by path; `[]` makes a list of one.')
      .optional(),
    unwrap: z
      .union([z.string(), paths])
      .describe('Paths of fields that take the place of the object around them; `a[]`: of a list of one.')
      .optional(),
  })
  .superRefine((operation, context) => {
    try {
      compileOperation(operation);
    } catch (error) {
      if (!(error instanceof BodyPathError)) throw error;
      context.addIssue({ code: 'custom', path: [...error.key], message: error.message });
    }
  });

/** One parsed operation: exactly one of its keys is there. */
export type BodyOperation = z.output<typeof bodyOperation>;

const COMPILERS = {
  keep: (given: readonly string[]) => compileKept(given.map((path, at) => parseBodyPath(path, ['keep', at]))),
  remove: (given: readonly string[]) =>
    inTurn(
      given.map((path, at) => {
        const steps = parseFieldPath(path, ['remove', at]);
        return (value) => changeAt(value, steps, () => ABSENT);
      }),
    ),
  rename: (given: Readonly<Record<string, string>>) =>
    inTurn(Object.entries(given).map(([path, name]) => renaming(path, name))),
  move: (given: Readonly<Record<string, string>>) =>
    inTurn(Object.entries(given).map(([from, to]) => moving(from, to))),
  default: (given: Readonly<Record<string, unknown>>) =>
    inTurn(
      Object.entries(given).map(([path, fallback]) => {
        const steps = parseFieldPath(path, ['default', path]);
        const change: Change = (value) => (value === ABSENT ? fallback : value);
        return (value) => changeAt(value, steps, change, true);
      }),
    ),
  wrap: (given: string | Readonly<Record<string, string>>) =>
    inTurn(Object.entries(typeof given === 'string' ? { '.': given } : given).map(wrapping)),
  unwrap: (given: string | readonly string[]) =>
    inTurn([given].flat().map((path, at) => unwrapping(path, ['unwrap', at]))),
} satisfies { readonly [Key in keyof BodyOperation]-?: (given: NonNullable<BodyOperation[Key]>) => Change };

/** Whether a body can be larger after an operation than it was before it. */
export function canGrow(operation: BodyOperation): boolean {
  return operation.keep === undefined && operation.remove === undefined && operation.unwrap === undefined;
}

/**
 * Compiles one operation.
 *
 * @throws {BodyPathError} with its place, when it is not exactly one, or a path makes no sense.
 */
export function compileOperation(operation: BodyOperation): Change {
  const keys = (Object.keys(operation) as (keyof BodyOperation)[]).filter(
    (key) => operation[key] !== undefined,
  );
  const [key] = keys;
  if (key === undefined || keys.length > 1)
    throw new BodyPathError(
      `expected one of ${Object.keys(COMPILERS).join(', ')}; each is an item of the list`,
    );
  return (COMPILERS[key] as (given: unknown) => Change)(operation[key]);
}

/** Runs changes one after the other. */
export function inTurn(changes: readonly Change[]): Change {
  const [first] = changes;
  if (changes.length === 1 && first !== undefined) return first;
  return (value) => changes.reduce((changed, change) => change(changed), value);
}

function renaming(path: string, name: string): Change {
  const steps = parseFieldPath(path, ['rename', path]);
  const from = steps.at(-1) as string;
  const to = nameOf(name, ['rename', path]);
  const rename: Change = (fields) => {
    if (from === to || !isFields(fields) || fieldOf(fields, from) === ABSENT) return fields;
    const others = Object.entries(fields).filter(([one]) => one !== to);
    return Object.fromEntries(others.map(([one, value]) => [one === from ? to : one, value]));
  };
  return (value) => changeAt(value, steps.slice(0, -1), rename);
}

function moving(from: string, to: string): Change {
  const source = parseFieldPath(from, ['move', from]);
  const target = parseFieldPath(to, ['move', from]);
  const lists = source.lastIndexOf(EACH) + 1;
  const isSameList =
    target.lastIndexOf(EACH) + 1 === lists && source.slice(0, lists).every((step, at) => step === target[at]);
  if (!isSameList)
    throw new BodyPathError(`expected the same lists in "${from}" and "${to}"`, ['move', from]);
  return (value) =>
    changeAt(value, source.slice(0, lists), moveWithin(source.slice(lists), target.slice(lists)));
}

function moveWithin(source: readonly Step[], target: readonly Step[]): Change {
  return (value) => {
    let moved: unknown = ABSENT;
    const without = changeAt(value, source, (field) => {
      moved = field;
      return ABSENT;
    });
    if (moved === ABSENT) return value;
    let isPlaced = false;
    const placed = changeAt(
      without,
      target,
      () => {
        isPlaced = true;
        return moved;
      },
      true,
    );
    // Something that is no object stands in the way: rather nothing than a lost field.
    return isPlaced ? placed : value;
  };
}

function wrapping([path, name]: readonly [string, string]): Change {
  const steps = parseBodyPath(path, ['wrap', path]);
  if (name === LIST) return (value) => changeAt(value, steps, (one) => (one === ABSENT ? ABSENT : [one]));
  const field = nameOf(name, path === '.' ? ['wrap'] : ['wrap', path]);
  return (value) =>
    changeAt(value, steps, (one) => (one === ABSENT ? ABSENT : Object.fromEntries([[field, one]])));
}

function unwrapping(path: string, key: readonly (string | number)[]): Change {
  const steps = parseBodyPath(path, key);
  const last = steps.at(-1);
  if (last === undefined) throw new BodyPathError('expected a path to a field, or to a list', key);
  const unwrap: Change = (around) => {
    if (last === EACH) return Array.isArray(around) && around.length === 1 ? (around[0] as unknown) : around;
    if (!isFields(around)) return around;
    const inner = fieldOf(around, last);
    return inner === ABSENT ? around : inner;
  };
  return (value) => changeAt(value, steps.slice(0, -1), unwrap);
}

function nameOf(text: string, key: readonly (string | number)[]): string {
  const [name, ...more] = parseFieldPath(text, key);
  if (more.length > 0 || typeof name !== 'string')
    throw new BodyPathError(`expected the name of a field, got the path "${text}"`, key);
  return name;
}
