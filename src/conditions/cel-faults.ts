import { foldName, isToldName } from '../exchange/reserved-names.ts';
import { nearestName } from '../config/nearest-name.ts';
import { BOUNDED, LITERAL_ARGUMENTS, oursOf, type ConditionShape } from './cel-environment.ts';
import { FUNCTION_NAMES } from './cel-cost.ts';
import { accessOf, below, callOf, MACROS, nodesOf, textOf, type CelCall, type CelNode } from './cel-nodes.ts';

/** Fields of `principal`, `request`, `route` and `client`. */
const FIELD_NAMES = [
  'id', 'scheme', 'issuer', 'subject', 'clientId', 'roles', 'permissions', 'scopes', 'email', 'tenant', 'tier', 'claims',
  'method', 'host', 'path', 'headers', 'query', 'upstream', 'ip', 'certificate',
]; // prettier-ignore

/** Something wrong with an expression, and where in it. */
export class ExpressionFault extends Error {
  override readonly name = 'ExpressionFault';

  /** @param at offset in the expression; undefined for the whole. */
  constructor(message: string, expression: string, at: number | undefined) {
    super(at === undefined ? message : `${message} (${placeIn(expression, at)})`);
  }
}

function placeIn(expression: string, offset: number): string {
  const lines = expression.slice(0, offset).split('\n');
  const column = (lines.at(-1) ?? '').length + 1;
  return expression.includes('\n')
    ? `at line ${lines.length}, column ${column} of the expression`
    : `at character ${column} of the expression`;
}

/** What the library says of an expression that it cannot read or check. */
export function faultOf(lead: string, error: unknown, expression: string): ExpressionFault {
  const { summary, range } = error as { summary?: unknown; range?: { start?: number } };
  const text = typeof summary === 'string' ? summary : Error.isError(error) ? error.message : 'unknown';
  const told = (text.split('\n', 1)[0] ?? '').replace(/(\w)_\(/g, '$1(');
  return new ExpressionFault(`${lead}: ${told}${hintOf(told)}`, expression, range?.start);
}

// The library names what it does not know, and not what was likely meant.
function hintOf(told: string): string {
  if (told === 'Unexpected character: =') return '; two values are compared by `==`';
  const [, unknown] = /^No such key: (\w+)$/.exec(told) ?? [];
  const near = unknown === undefined ? undefined : nearestName(unknown, FIELD_NAMES);
  return near === undefined ? '' : `; did you mean \`${near}\`?`;
}

/**
 * Refuses what conditions have not, and puts functions of ours in the place of those that could take long.
 *
 * @throws {ExpressionFault} for the first of it.
 */
export function prepare(root: CelNode, expression: string, shape: ConditionShape): void {
  refuseNested(root, expression, false);
  for (const node of nodesOf(root)) {
    const call = callOf(node);
    if (call === undefined) checkAccess(node, expression, shape);
    else prepareCall(node, call, expression);
  }
}

// What runs over a list for each element of a list would cost the square of what a token can hold.
function refuseNested(node: CelNode, expression: string, isWithin: boolean): void {
  const call = callOf(node);
  const isMacro = call !== undefined && MACROS.has(call.name);
  if (isMacro && isWithin)
    throw new ExpressionFault(
      'expected no macro, such as `exists`, within another one',
      expression,
      node.start,
    );
  if (call === undefined) return below(node).forEach((one) => refuseNested(one, expression, isWithin));
  const { receiver, args } = call;
  if (receiver !== undefined) refuseNested(receiver, expression, isWithin);
  for (const one of args) refuseNested(one, expression, isWithin || isMacro);
}

function prepareCall(node: CelNode, call: CelCall, expression: string): void {
  const { name, args } = call;
  const known = FUNCTION_NAMES.includes(name) || name === 'inCidr';
  if (!known) {
    const near = nearestName(name, FUNCTION_NAMES);
    const hint = near === undefined ? '' : `; did you mean \`${near}\`?`;
    throw new ExpressionFault(`there is no function \`${name}\`${hint}`, expression, node.start);
  }
  const key = `${name}/${args.length}`;
  const make = LITERAL_ARGUMENTS.get(key);
  if (make !== undefined) compileLiteral(args[0] as CelNode, make, { name, expression });
  if (make !== undefined || BOUNDED.has(key)) (node.args as unknown[])[0] = oursOf(name);
}

function compileLiteral(
  literal: CelNode,
  make: (source: string) => object,
  { name, expression }: { name: string; expression: string },
): void {
  const source = textOf(literal);
  if (source === undefined)
    throw new ExpressionFault(`expected a text in quotes for \`${name}\``, expression, literal.start);
  try {
    literal.args = make(source);
  } catch (error) {
    throw new ExpressionFault((error as Error).message, expression, literal.start);
  }
}

/**
 * Refuses header fields that say nothing: names in other than lower case, and what only clients say here, because it is
 * removed from what services get.
 */
function checkField(name: string | undefined, expression: string, at: number): void {
  if (name === undefined) return;
  const lower = name.toLowerCase();
  if (lower !== name)
    throw new ExpressionFault(`names of header fields are in lower case: \`${lower}\``, expression, at);
  // Fails closed: whoever calls could be whoever it says.
  if (isToldName(foldName(name)))
    throw new ExpressionFault(
      `\`${name}\` is only what a client says of itself; there are \`principal\` and \`client\``,
      expression,
      at,
    );
}

/** The names of maps whose members are declared. */
function checkAccess(node: CelNode, expression: string, shape: ConditionShape): void {
  const access = accessOf(node);
  if (access !== undefined && accessOf(access.of)?.name === 'headers')
    checkField(access.name, expression, node.start);
  if (access?.name === undefined || access.of.op !== 'id') return;
  const of = String(access.of.args);
  if (of !== 'params' && of !== 'args' && of !== 'parent') return;
  const names = shape[of];
  if (names === undefined || names === 'any' || names.includes(access.name)) return;
  const near = nearestName(access.name, names);
  const hint = near === undefined ? '' : `; did you mean \`${of}.${near}\`?`;
  throw new ExpressionFault(`there is no \`${of}.${access.name}\`${hint}`, expression, node.start);
}
