import { CelPattern } from './cel-arguments.ts';
import { MAX_GONE_THROUGH, MAX_NAMES, MAX_VALUES } from './bounded-value.ts';
import { accessOf, below, callOf, MACROS, nodesOf, textOf, type CelCall, type CelNode } from './cel-nodes.ts';

/**
 * Most steps that one condition may need for the worst that it can be asked about: 0.6 ms at 15 ns a step, on a core that
 * does something else as well (bench/conditions.ts).
 */
export const MAX_STEPS = 40_000;

/** Header fields have no bound of their own but that of the header section. */
const MAX_FIELDS = 2000;
const SCALARS: ReadonlySet<string> = new Set([
  'string',
  'int',
  'uint',
  'double',
  'bool',
  'null',
  'null_type',
]);
const COMPARING: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
/** What making, throwing and catching an error costs; a quantifier goes on after one. */
const ERROR = 240;
const DEEP = MAX_VALUES * 5;

/** What functions cost, for the longest text there can be. Those that are not here are not called at all. */
const FUNCTIONS: Readonly<Record<string, number>> = {
  has: ERROR, startsWith: 8, endsWith: 8, contains: 640, indexOf: 640, lastIndexOf: 640, substring: ERROR,
  lowerAscii: 200, upperAscii: 200, trim: 100, join: 400, string: ERROR, int: ERROR, double: ERROR, bool: ERROR,
  timestamp: ERROR, duration: ERROR, dyn: 1, matches: 1000, inCidr: 80, size: 700,
  getFullYear: 4, getMonth: 4, getDate: 4, getDayOfMonth: 4, getDayOfWeek: 4, getHours: 4, getMinutes: 4,
  getSeconds: 4, getMilliseconds: 4,
}; // prettier-ignore

const ZONED = 1300;

/** The names of the functions that conditions may call, macros included. */
export const FUNCTION_NAMES: readonly string[] = [...Object.keys(FUNCTIONS), ...MACROS];

/** How many steps an expression needs at most. It has been checked. */
export function stepsOf(node: CelNode): number {
  const call = callOf(node);
  if (call !== undefined) return stepsOfCall(call);
  const inner = below(node).reduce((sum, one) => sum + stepsOf(one), 0);
  return inner + ownSteps(node);
}

function stepsOfCall({ name, receiver, args }: CelCall): number {
  const known = name.replace(/_$/, '');
  const before = receiver === undefined ? 0 : stepsOf(receiver);
  const inner = args.reduce((sum, one) => sum + stepsOf(one), 0);
  if (receiver !== undefined && MACROS.has(name)) return before + lengthOf(receiver) * (inner + 4);
  const operands = receiver === undefined ? args : [receiver, ...args];
  const own = stepsOfFunction(known, receiver, args) * scaleOf(operands);
  return before + inner + own + operands.reduce((sum, one) => sum + mistakeOf(one), 0);
}

/** How many times longer than the longest text what is made of several of them can be. */
function scaleOf(operands: readonly CelNode[]): number {
  const nodes = operands.flatMap(nodesOf);
  const sums = nodes.filter(({ op }) => op === '+').length + 1;
  const isMany = nodes.some((node) => ['join', 'map'].includes(callOf(node)?.name ?? ''));
  return isMany ? sums * MAX_NAMES : sums;
}

/** What it costs where an operand turns out to be of another type. What is not there is one error already, and never are there both. */
function mistakeOf({ op, checkedType }: CelNode): number {
  if (checkedType?.kind !== 'dyn') return 0;
  return op === '.' || op === '[]' ? 8 : ERROR;
}

function stepsOfFunction(name: string, receiver: CelNode | undefined, args: readonly CelNode[]): number {
  const [first] = args;
  const usual = FUNCTIONS[name] ?? MAX_STEPS;
  if (name === 'matches') return usual + (first?.args instanceof CelPattern ? first.args.size * 10 : 0);
  if (name.startsWith('get') && first !== undefined) return ZONED;
  if (name === 'size') return isText(receiver ?? first) ? usual : 4;
  const needle = first === undefined ? undefined : textOf(first);
  if (usual === FUNCTIONS['contains'] && needle !== undefined) return 40 + needle.length * 10;
  return usual;
}

function isText(node: CelNode | undefined): boolean {
  return !['list', 'map'].includes(node?.checkedType?.kind ?? '');
}

function ownSteps({ op, args, checkedType }: CelNode): number {
  if (op === '.' || op === '[]') return isDeclared((args as readonly CelNode[])[0]) ? 2 : ERROR;
  if (COMPARING.has(op)) return stepsOfComparison(args as readonly [CelNode, CelNode]);
  if (op === 'in') return stepsOfIn(args as readonly [CelNode, CelNode]);
  // Texts are copied when they are looked at.
  if (op === '+') return checkedType?.kind === 'list' ? MAX_NAMES : 200;
  return 2;
}

/** Whether what it looks into has fields that are always there. */
function isDeclared(node: CelNode | undefined): boolean {
  return node?.checkedType?.kind === 'message';
}

function stepsOfComparison(sides: readonly [CelNode, CelNode]): number {
  const scalars = sides.filter((one) => SCALARS.has(one.checkedType?.name ?? '')).length;
  if (scalars === 2) return 8;
  if (sides.some(isMoment)) return 12;
  if (scalars === 0) return DEEP;
  // What is not there is one error, what is of another type is one too, and never are there both.
  return sides.some(({ op }) => op === '.' || op === '[]') ? 12 : 12 + ERROR;
}

function isMoment({ checkedType }: CelNode): boolean {
  return checkedType?.name.startsWith('google.protobuf.') === true;
}

function stepsOfIn([one, list]: readonly [CelNode, CelNode]): number {
  if (list.checkedType?.kind === 'map') return 4;
  const each = SCALARS.has(one.checkedType?.name ?? '') ? 2 : 12;
  return 8 + lengthOf(list) * each;
}

/** Whether an expression goes through lists whose elements nobody has declared, so that they may have only so many. */
export function goesThrough(nodes: readonly CelNode[]): boolean {
  return nodes.some((node) => {
    const call = callOf(node);
    if (call !== undefined) return call.receiver !== undefined && MACROS.has(call.name);
    return node.op === 'in';
  });
}

/** How many elements what a macro goes through, or what `in` looks into, has at most. */
function lengthOf(list: CelNode): number {
  const nodes = nodesOf(list);
  if (list.op === 'list') return (list.args as readonly unknown[]).length;
  if (nodes.some((node) => accessOf(node)?.name === 'headers')) return MAX_FIELDS;
  const sums = nodes.filter(({ op }) => op === '+').length + 1;
  const isNames =
    nodes.some((one) => one.checkedType?.name === 'list<string>') ||
    nodes.some((one) => accessOf(one)?.name === 'query');
  return sums * (isNames ? MAX_NAMES : MAX_GONE_THROUGH);
}
