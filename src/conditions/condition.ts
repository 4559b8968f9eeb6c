import type { Exchange } from '../exchange/exchange.ts';
import type { Principal } from '../exchange/principal.ts';
import type { RoleBook } from '../exchange/role-book.ts';
import { KEPT_ONCE } from '../exchange/single-fields.ts';
import { Untold } from './bounded-value.ts';
import { goesThrough, MAX_STEPS, stepsOf } from './cel-cost.ts';
import { environmentOf, type ConditionShape } from './cel-environment.ts';
import { ExpressionFault, faultOf, prepare } from './cel-faults.ts';
import { accessOf, forgetText, membersOf, nodesOf, rootOf, textOf, type CelNode } from './cel-nodes.ts';
import { CelContext, type Extras, type Reads } from './cel-shapes.ts';

export type { ConditionShape } from './cel-environment.ts';

/** Whether something holds for an exchange. Never throws: what cannot be told, such as a field that is not there, does not hold. */
export type ExchangeCondition = (exchange: Exchange) => boolean;

/** A compiled expression. */
export interface Rule {
  readonly expression: string;
  /** The variables that it names: `principal`, `request`. */
  readonly names: ReadonlySet<string>;
  /** How many steps it needs at most. */
  readonly steps: number;
  /**
   * Whether it holds.
   *
   * @throws {Error} where it says neither yes nor no: it reads what is not there, or more than conditions look at.
   */
  holds(exchange: Exchange, extras?: Extras): boolean;
  /** The same, for one that names nothing but `principal`. */
  holdsFor(principal: Principal | undefined, roles: RoleBook): boolean;
}

const MAX_LENGTH = 2000;

/**
 * Compiles an expression of CEL over `principal`, `request`, `route`, `params`, `client` and `now`. Nobody is a principal
 * whose texts and lists are empty.
 *
 * @throws {Error} for the operator: what cannot be read, names and types that there are not, what is no yes or no, and what
 * could take long, whatever it is asked about.
 */
export function compileCondition(expression: string): ExchangeCondition {
  const rule = compileRule(expression);
  return (exchange) => {
    try {
      return rule.holds(exchange);
    } catch {
      return false;
    }
  };
}

/**
 * The same, for who has to tell what does not hold from what cannot be told.
 *
 * @param shape what it may name besides.
 */
export function compileRule(expression: string, shape: ConditionShape = {}): Rule {
  const { names, steps, evaluate } = compileTyped(expression, shape, CONDITION);
  const holds = (exchange: Exchange, extras?: Extras): boolean => {
    const found = evaluate(exchange, extras);
    if (typeof found === 'boolean') return found;
    throw new Untold('is neither true nor false');
  };
  // Of the exchange it looks at nothing else then.
  const holdsFor = (principal: Principal | undefined, roles: RoleBook): boolean =>
    holds({ principal, route: { roles } } as unknown as Exchange);
  return { expression, names, steps, holds, holdsFor };
}

/**
 * Compiles an expression that says a text, or how much.
 *
 * @returns finds it out; throws where it cannot be told.
 * @throws {Error} as for a condition, and for what is of another type.
 */
export function compileText(expression: string, shape: ConditionShape = {}): (exchange: Exchange) => string {
  const { evaluate } = compileTyped(expression, shape, TEXT);
  return (exchange) => {
    const found = evaluate(exchange, undefined);
    if (typeof found === 'object' || found === undefined) throw new Untold('is no text');
    return String(found);
  };
}

/** The same, for a whole number. */
export function compileNumber(
  expression: string,
  shape: ConditionShape = {},
): (exchange: Exchange) => number {
  const { evaluate } = compileTyped(expression, shape, NUMBER);
  return (exchange) => {
    const found = Number(evaluate(exchange, undefined));
    if (Number.isFinite(found)) return Math.ceil(found);
    throw new Untold('is no number');
  };
}

/** What an expression has to be of. */
interface Expected {
  readonly types: ReadonlySet<string>;
  readonly what: string;
}

const CONDITION: Expected = { types: new Set(['bool']), what: 'a condition that is true or false' };
const TEXT: Expected = {
  types: new Set(['string', 'int', 'uint', 'bool', 'dyn']),
  what: 'a text or a number',
};
const NUMBER: Expected = { types: new Set(['int', 'uint', 'double']), what: 'a number' };

/** A compiled expression of whatever type. */
interface TypedExpression {
  readonly names: ReadonlySet<string>;
  readonly steps: number;
  evaluate(exchange: Exchange, extras: Extras | undefined): unknown;
}

function compileTyped(expression: string, shape: ConditionShape, expected: Expected): TypedExpression {
  if (expression.length > MAX_LENGTH) throw new Error(`expected at most ${MAX_LENGTH} characters`);
  const parsed = parse(expression, shape);
  const root = rootOf(parsed.ast);
  prepare(root, expression, shape);
  const { valid, type, error } = parsed.check();
  if (!valid) throw faultOf('cannot be evaluated', error, expression);
  if (!expected.types.has(type ?? ''))
    throw new Error(`expected ${expected.what}, this is of type ${type ?? 'unknown'}`);
  const steps = stepsOf(root);
  if (steps > MAX_STEPS)
    throw new ExpressionFault(
      `could take ${steps} steps, expected at most ${MAX_STEPS}: look at fewer fields of the elements of a list`,
      expression,
      dearestOf(root).start,
    );
  const nodes = nodesOf(root);
  const names = new Set(nodes.flatMap(({ op, args }) => (op === 'id' ? [String(args)] : [])));
  const reads = readsOf(nodes);
  forgetText(root);
  const evaluate = (exchange: Exchange, extras: Extras | undefined): unknown => {
    const limit = Error.stackTraceLimit;
    // Errors are values to CEL, hundreds in one evaluation, and nobody reads their stacks.
    Error.stackTraceLimit = 0;
    try {
      return parsed(new CelContext(exchange, reads, extras));
    } finally {
      Error.stackTraceLimit = limit;
    }
  };
  return { names, steps, evaluate };
}

function readsOf(nodes: readonly CelNode[]): Reads {
  const fields = fieldsOf(nodes);
  return {
    fields,
    single: fields === undefined ? KEPT_ONCE : new Set(fields.filter((name) => KEPT_ONCE.has(name))),
    goesThrough: goesThrough(nodes),
    members: {
      body: membersOf('body', nodes),
      args: membersOf('args', nodes),
      parent: membersOf('parent', nodes),
    },
  };
}

function parse(expression: string, shape: ConditionShape) {
  try {
    return environmentOf(shape).parse(expression);
  } catch (error) {
    throw faultOf('cannot be read', error, expression);
  }
}

/** The innermost part that costs most of it. */
function dearestOf(root: CelNode): CelNode {
  return nodesOf(root).findLast((node) => stepsOf(node) > MAX_STEPS / 2) ?? root;
}

/** The header fields that an expression reads; undefined for a name that is computed, or for all. */
function fieldsOf(nodes: readonly CelNode[]): readonly string[] | undefined {
  const isFields = (node: CelNode): boolean => accessOf(node)?.name === 'headers';
  const names = nodes.flatMap((node) => {
    const name =
      node.op === 'in'
        ? memberOf(node.args as readonly [CelNode, CelNode], isFields)
        : fieldOf(node, isFields);
    return name === undefined ? [] : [name];
  });
  return names.length === nodes.filter(isFields).length ? [...new Set(names)] : undefined;
}

function memberOf(
  [name, map]: readonly [CelNode, CelNode],
  isFields: (node: CelNode) => boolean,
): string | undefined {
  return isFields(map) ? textOf(name) : undefined;
}

function fieldOf(node: CelNode, isFields: (node: CelNode) => boolean): string | undefined {
  const access = accessOf(node);
  return access !== undefined && isFields(access.of) ? access.name : undefined;
}
