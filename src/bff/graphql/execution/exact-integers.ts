import {
  getNullableType,
  GraphQLError,
  isInputObjectType,
  isListType,
  isScalarType,
  isSpecifiedScalarType,
  typeFromAST,
} from 'graphql';
import type { GraphQLInputType, GraphQLSchema, VariableDefinitionNode } from 'graphql';
import { withoutMark } from '../../../exchange/json-bytes.ts';
import { parseMarked, type NumberMarks } from '../../../exchange/marked-numbers.ts';

type Values = Readonly<Record<string, unknown>>;

/** Without such a run of digits no number can stand for another one; in the query of a URL, digits can be escaped. */
const MAY_BE_INEXACT = /\d{16}|\.\d+[eE]|%3\d/;
const DIGITS = /^-?\d+$/;
/** Most mistakes in variables that are looked for in one request. */
export const MOST_MISTAKES = 5;
/**
 * Objects and lists of JSON with integers that a number of JavaScript cannot tell apart from others, as they were
 * written, by key; those around them have no entries. Everybody else sees numbers.
 */
const written = new WeakMap<object, Map<string, string>>();

/** Whether a JSON text, or the query of a URL with one, could have integers beyond 2^53; most have not. */
export function mayHaveLongIntegers(text: string): boolean {
  return MAY_BE_INEXACT.test(text);
}

/**
 * Parses JSON, and remembers how integers beyond 2^53 were written, for {@link exactVariables}.
 *
 * @throws {SyntaxError} as `JSON.parse`; `RangeError` for what is nested too deep.
 */
export function parseExactly(text: string): unknown {
  const json = withoutMark(text);
  return mayHaveLongIntegers(json) ? parseMarked(json, LONG_INTEGERS) : JSON.parse(json);
}

/**
 * Gives integers beyond 2^53 back their digits where a variable is an `ID`, and refuses them where a scalar of the schema
 * would get another number than was sent. Free for variables that have none.
 *
 * @returns the variables to run with, or what is wrong with them.
 */
export function exactVariables(
  schema: GraphQLSchema,
  definitions: readonly VariableDefinitionNode[],
  variables: Values,
): Values | readonly GraphQLError[] {
  if (!written.has(variables)) return variables;
  const exact = new Map(Object.entries(variables));
  const errors: GraphQLError[] = [];
  for (const { variable, type: node } of definitions) {
    const name = variable.name.value;
    const type = typeFromAST(schema, node as Parameters<typeof typeFromAST>[1]) as GraphQLInputType;
    const refuse = (digits: string): void => {
      if (errors.length >= MOST_MISTAKES) return;
      const message = `Variable "$${name}": a number cannot hold ${digits.slice(0, 32)} exactly; send it as a string.`;
      errors.push(new GraphQLError(message, { nodes: variable }));
    };
    if (exact.has(name)) exact.set(name, exactValue(variables, name, type, refuse));
  }
  return errors.length > 0 ? errors : Object.fromEntries(exact);
}

function noted(container: object): Map<string, string> {
  const known = written.get(container) ?? new Map<string, string>();
  written.set(container, known);
  return known;
}

const LONG_INTEGERS: NumberMarks = {
  isMarked: (source) => {
    const value = Number(source);
    return Number.isInteger(value) && !Number.isSafeInteger(value);
  },
  place: (holder, key, source) => {
    holder[key] = Number(source);
    noted(holder).set(key, source);
  },
  around: noted,
};

/** Whether neither a value nor anything in it is an integer beyond 2^53: it is what was sent. */
function isExact(value: unknown): boolean {
  if (typeof value === 'object') return value === null || !written.has(value);
  return typeof value !== 'number' || Number.isSafeInteger(value);
}

type Refuse = (digits: string) => void;

function exactValue(holder: Values, key: string, given: GraphQLInputType, refuse: Refuse): unknown {
  const value = holder[key];
  const type = getNullableType(given);
  const isInside = typeof value === 'object' && value !== null && written.has(value);
  if (isListType(type)) {
    const inner = type.ofType as GraphQLInputType;
    if (!Array.isArray(value)) return exactValue(holder, key, inner, refuse);
    return isInside
      ? value.map((one, index) =>
          isExact(one)
            ? (one as unknown)
            : exactValue(value as unknown as Values, String(index), inner, refuse),
        )
      : value;
  }
  if (isInputObjectType(type)) {
    // A list is no such object, which is for graphql-js to say.
    if (!isInside || Array.isArray(value)) return value;
    const fields = type.getFields();
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => {
        const field = fields[name];
        return [name, field === undefined ? one : exactValue(value as Values, name, field.type, refuse)];
      }),
    );
  }
  const source = written.get(holder)?.get(key);
  if (type.name === 'ID') return source === undefined ? value : digitsOf(source, refuse);
  // Int has no such numbers, and Float is what it is.
  if (!isScalarType(type) || isSpecifiedScalarType(type)) return value;
  if (source !== undefined) requireExact(source, refuse);
  else if (isInside) requireExactWithin(value, refuse);
  return value;
}

function digitsOf(source: string, refuse: Refuse): string {
  // With a point or an exponent there are no digits to keep.
  if (!DIGITS.test(source)) refuse(source);
  return source;
}

function requireExact(source: string, refuse: Refuse): void {
  if (DIGITS.test(source) && BigInt(source) !== BigInt(Number(source))) refuse(source);
}

function requireExactWithin(value: object, refuse: Refuse): void {
  for (const source of written.get(value)?.values() ?? []) requireExact(source, refuse);
  for (const one of Object.values(value) as unknown[])
    if (typeof one === 'object' && one !== null && written.has(one)) requireExactWithin(one, refuse);
}
