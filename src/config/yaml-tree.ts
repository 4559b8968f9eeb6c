import { isAlias, isMap, isScalar, isSeq, type Alias, type Node, type Scalar, type YAMLMap } from 'yaml';
import type { ConfigFault } from './config-fault.ts';
import { renderPath, routeIdAt, type ConfigPath } from './config-path.ts';
import { hasReference, interpolate, type Variables } from './interpolation.ts';
import { keyOf, startOf } from './yaml-position.ts';

/** Values that one file may hold once its aliases are expanded; far above any real file, far below a bomb. */
const MAX_VALUES = 200_000;
const INTEGER = /^[-+]?[0-9]+$/;
const DECIMAL = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

interface TreeContext {
  readonly file: string;
  readonly variables: Variables;
  position(offset: number): { line: number; column: number };
}

interface Anchored {
  readonly value: unknown;
  /** How many values it holds, aliases expanded. */
  readonly size: number;
}

interface TreeFault {
  readonly path: ConfigPath;
  readonly offset: number | undefined;
  readonly message: string;
}

/** Turns parsed nodes into plain values and collects the faults that only the whole tree shows. */
export function readTree(root: Node | null, context: TreeContext) {
  const reader = new TreeReader(context.variables);
  const value = reader.read(root, []);
  const faults = reader.faults.map(({ path, offset, message }): ConfigFault => ({
    file: context.file,
    ...context.position(offset ?? 0),
    routeId: routeIdAt(path, value),
    key: renderPath(path, value),
    message,
  }));
  return { value, faults, faultyPaths: reader.faults.map((fault) => fault.path) };
}

class TreeReader {
  readonly faults: TreeFault[] = [];
  private readonly variables: Variables;
  private readonly anchors = new Map<string, Anchored>();
  private size = 0;

  constructor(variables: Variables) {
    this.variables = variables;
  }

  read(node: Node | null, path: ConfigPath): unknown {
    const before = this.size;
    this.size += 1;
    const value = this.valueOf(node, path);
    // An anchor counts only once its value is complete, so an alias inside its own anchor is unknown, not a cycle.
    const anchor = isAlias(node) ? undefined : (node as { anchor?: string } | null)?.anchor;
    if (anchor !== undefined) this.anchors.set(anchor, { value, size: this.size - before });
    return value;
  }

  private valueOf(node: Node | null, path: ConfigPath): unknown {
    if (isMap<Node, Node | null>(node)) return this.readMap(node, path);
    if (isSeq<Node>(node)) return node.items.map((item, index) => this.read(item, [...path, index]));
    if (isAlias(node)) return this.readAlias(node, path);
    if (isScalar(node)) return this.readScalar(node, path);
    return null;
  }

  private readMap(map: YAMLMap<Node, Node | null>, path: ConfigPath): Record<string, unknown> {
    const first = new Map<string, number | undefined>();
    const value: Record<string, unknown> = {};
    for (const pair of map.items) {
      const key = keyOf(pair);
      const problem = this.keyProblem(key, first.has(key));
      if (problem) this.faults.push({ path: [...path, key], offset: startOf(pair.key), message: problem });
      first.set(key, startOf(pair.key));
      const item = this.read(pair.value, [...path, key]);
      if (key !== '__proto__') value[key] = item;
    }
    return value;
  }

  private keyProblem(key: string, duplicate: boolean): string | undefined {
    if (key === '<<')
      return 'merge keys are not supported; give the whole value by an alias, or repeat the keys';
    if (key === '__proto__') return 'this key is not allowed';
    return duplicate ? 'duplicate key; expected each key once' : undefined;
  }

  private readAlias(alias: Alias, path: ConfigPath): unknown {
    const offset = startOf(alias);
    const target = this.anchors.get(alias.source);
    if (!target) {
      this.faults.push({ path, offset, message: `expected an anchor &${alias.source} before this alias` });
      return null;
    }
    const before = this.size;
    this.size += target.size;
    if (this.size <= MAX_VALUES) return target.value;
    if (before <= MAX_VALUES)
      this.faults.push({ path, offset, message: 'expected fewer aliases of aliases' });
    return null;
  }

  private readScalar(scalar: Scalar, path: ConfigPath): unknown {
    const { value } = scalar;
    if (typeof value !== 'string' || !hasReference(value)) return value;
    const { text, problems } = interpolate(value, this.variables);
    const offset = startOf(scalar);
    this.faults.push(...problems.map((message) => ({ path, offset, message })));
    return scalar.type === 'PLAIN' ? typed(text) : text;
  }
}

/** Gives an unquoted value from a variable the type that it would have had in the file; quoted ones stay text. */
function typed(text: string): unknown {
  if (INTEGER.test(text) || DECIMAL.test(text)) return Number(text);
  if (/^true$/i.test(text)) return true;
  if (/^false$/i.test(text)) return false;
  return text;
}
