import type { ASTNode } from '@marcbachmann/cel-js';

/** A node of a parsed expression, as far as it is looked at here. */
export interface CelNode {
  readonly op: string;
  args: unknown;
  readonly start: number;
  readonly input: string;
  readonly meta?: { readonly alternate?: unknown };
  readonly checkedType?: { readonly kind: string; readonly name: string };
}

/** A call of a function or a method, with what it is called on. */
export interface CelCall {
  readonly name: string;
  readonly receiver: CelNode | undefined;
  readonly args: readonly CelNode[];
}

/** The macros that go through a list. */
export const MACROS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);

/** The tree of what was parsed. */
export const rootOf = (ast: ASTNode): CelNode => ast as unknown as CelNode;

export function isNode(value: unknown): value is CelNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

/** The nodes right below one. */
export function below({ args }: CelNode): readonly CelNode[] {
  return nodesIn(args);
}

/** All nodes of an expression, the outer ones first. */
export function nodesOf(node: CelNode): readonly CelNode[] {
  return [node, ...below(node).flatMap(nodesOf)];
}

/** What a node calls; undefined for none that calls something. */
export function callOf({ op, args }: CelNode): CelCall | undefined {
  if (op !== 'call' && op !== 'rcall') return undefined;
  const parts = args as readonly unknown[];
  const name = String(parts[0]);
  const receiver = op === 'rcall' && isNode(parts[1]) ? parts[1] : undefined;
  return { name, receiver, args: nodesIn(parts.at(-1)) };
}

/** The text that a node is; undefined for what is none, or not known before it is evaluated. */
export function textOf({ op, args }: CelNode): string | undefined {
  return op === 'value' && typeof args === 'string' ? args : undefined;
}

/** Which variable a node looks into, and for what name; a name that is not known before is undefined. */
export function accessOf({ op, args }: CelNode): { of: CelNode; name: string | undefined } | undefined {
  if (op !== '.' && op !== '[]') return undefined;
  const [of, key] = args as readonly [CelNode, string | CelNode];
  return { of, name: typeof key === 'string' ? key : textOf(key) };
}

/** The members of a variable that an expression looks at; undefined for all of them, or for what is not known before. */
export function membersOf(variable: string, nodes: readonly CelNode[]): readonly string[] | undefined {
  const isIt = ({ op, args }: CelNode): boolean => op === 'id' && args === variable;
  const names = nodes.flatMap((node) => {
    const access = accessOf(node);
    return access?.name !== undefined && isIt(access.of) ? [access.name] : [];
  });
  return names.length === nodes.filter(isIt).length ? [...new Set(names)] : undefined;
}

function nodesIn(value: unknown): readonly CelNode[] {
  if (isNode(value)) return [value];
  return Array.isArray(value) ? value.flatMap(nodesIn) : [];
}

/** Has errors of an evaluation leave out the text around their place, which costs more than everything else of them. */
export function forgetText(value: unknown, seen = new Set<object>()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (isNode(value)) Object.defineProperty(value, 'input', { value: '' });
  else if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return;
  for (const one of isNode(value) ? [value.args, value.meta?.alternate] : Object.values(value))
    forgetText(one, seen);
}
