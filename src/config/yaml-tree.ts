import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Alias,
  type Node,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { ConfigFault } from './config-fault.ts';
import { renderPath, routeIdAt, type ConfigPath } from './config-path.ts';
import { hasReference, interpolate, type Variables } from './interpolation.ts';
import type { Piece } from './long-list.ts';
import { keyOf, Places, placesOf, startOf, type PlaceTree } from './yaml-position.ts';

/** Values that the aliases of one file may repeat, all together; far above any real file, far below a bomb. */
const MAX_VALUES = 200_000;
const INTEGER = /^[-+]?[0-9]+$/;
const DECIMAL = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

/** A list that is not in the tree of nodes, because it is long. */
export interface CutOut {
  /** Where its key is. */
  readonly keyOffset: number;
  /** Where it starts, and how long it is. */
  readonly start: number;
  readonly length: number;
  readonly pieces: () => Iterable<Piece>;
}

interface TreeContext {
  readonly file: string;
  readonly variables: Variables | 'kept';
  readonly cut?: CutOut | undefined;
  position(offset: number): { line: number; column: number };
}

interface Anchored {
  readonly value: unknown;
  /** How many values it holds, aliases expanded. */
  readonly size: number;
  readonly places: PlaceTree | undefined;
}

interface TreeFault {
  readonly path: ConfigPath;
  readonly offset: number;
  readonly message: string;
}

/** Turns parsed nodes into plain values and collects the faults that only the whole tree shows. */
export function readTree(root: Node | null, context: TreeContext) {
  const reader = new TreeReader(context.variables, context.cut);
  const value = reader.read(root, []);
  const faults = reader.faults.map(({ path, offset, message }): ConfigFault => ({
    file: context.file,
    ...context.position(Math.max(0, offset)),
    routeId: routeIdAt(path, value),
    key: renderPath(path, value),
    message,
  }));
  const places = new Places(startOf(root) ?? 0, reader.places);
  return { value, places, faults, faultyPaths: reader.faults.map((fault) => fault.path) };
}

class TreeReader {
  readonly faults: TreeFault[] = [];
  /** Of the node that was read last. */
  places: PlaceTree | undefined = undefined;
  private readonly variables: Variables | 'kept';
  private readonly anchors = new Map<string, Anchored>();
  private size = 0;
  /** How many of them are there by an alias: a long file may have more, for it has a line for each. */
  private repeated = 0;
  private readonly cut: CutOut | undefined;
  /** How much further in the file the nodes are than in the text of their piece; undefined outside of pieces. */
  private shift: number | undefined = undefined;

  constructor(variables: Variables | 'kept', cut: CutOut | undefined) {
    this.variables = variables;
    this.cut = cut;
  }

  read(node: Node | null, path: ConfigPath): unknown {
    const before = this.size;
    this.size += 1;
    const value = this.valueOf(node, path);
    // An anchor counts only once its value is complete, so an alias inside its own anchor is unknown, not a cycle.
    const anchor = isAlias(node) ? undefined : (node as { anchor?: string } | null)?.anchor;
    if (anchor !== undefined) {
      const { places } = this;
      this.anchors.set(anchor, { value, size: this.size - before, places });
    }
    return value;
  }

  private valueOf(node: Node | null, path: ConfigPath): unknown {
    if (isMap<Node, Node | null>(node)) return this.readMap(node, path);
    if (isSeq<Node>(node)) return this.readList(node, path);
    this.places = undefined;
    if (isAlias(node)) return this.readAlias(node, path);
    if (isScalar(node)) return this.readScalar(node, path);
    return null;
  }

  private readList({ items }: YAMLSeq<Node>, path: ConfigPath): unknown[] {
    const below: (PlaceTree | undefined)[] = [];
    const value = items.map((item, index) => {
      const one = this.read(item, [...path, index]);
      below.push(this.places);
      return one;
    });
    this.places = placesOf(undefined, items.map(this.startOf), below);
    return value;
  }

  private readPieces({ pieces }: CutOut, path: ConfigPath): unknown[] {
    const value: unknown[] = [];
    const offsets: number[] = [];
    const below: (PlaceTree | undefined)[] = [];
    for (const piece of pieces()) {
      if ('plain' in piece) {
        value.push(piece.plain.value);
        offsets.push(piece.plain.offset);
        below.push(piece.plain.places);
        continue;
      }
      this.shift = piece.shift;
      for (const node of piece.nodes) {
        value.push(this.read(node, [...path, value.length]));
        offsets.push(this.startOf(node));
        below.push(this.places);
      }
      this.shift = undefined;
    }
    this.places = placesOf(undefined, offsets, below);
    return value;
  }

  // In the file; -1 for what is not in it.
  private readonly startOf = (node: unknown): number => {
    const offset = startOf(node);
    if (offset === undefined) return -1;
    const { shift, cut } = this;
    if (shift !== undefined) return offset + shift;
    return cut !== undefined && offset >= cut.start ? offset + cut.length : offset;
  };

  private readMap(map: YAMLMap<Node, Node | null>, path: ConfigPath): Record<string, unknown> {
    const first = new Set<string>();
    const value: Record<string, unknown> = {};
    const below: (PlaceTree | undefined)[] = [];
    for (const pair of map.items) {
      const key = keyOf(pair);
      const problem = this.keyProblem(key, first.has(key));
      const offset = this.startOf(pair.key);
      if (problem) this.faults.push({ path: [...path, key], offset, message: problem });
      first.add(key);
      const { cut } = this;
      const isCut = cut !== undefined && path.length === 0 && offset === cut.keyOffset;
      const item = isCut ? this.readPieces(cut, [key]) : this.read(pair.value, [...path, key]);
      below.push(this.places);
      if (key !== '__proto__') value[key] = item;
    }
    const offsets = map.items.map(({ key }) => this.startOf(key));
    this.places = placesOf(map.items.map(keyOf), offsets, below);
    return value;
  }

  private keyProblem(key: string, duplicate: boolean): string | undefined {
    if (key === '<<')
      return 'merge keys are not supported; give the whole value by an alias, or repeat the keys';
    if (key === '__proto__') return 'this key is not allowed';
    return duplicate ? 'duplicate key; expected each key once' : undefined;
  }

  private readAlias(alias: Alias, path: ConfigPath): unknown {
    const offset = this.startOf(alias);
    const target = this.anchors.get(alias.source);
    if (!target) {
      this.faults.push({ path, offset, message: `expected an anchor &${alias.source} before this alias` });
      return null;
    }
    const before = this.repeated;
    this.size += target.size;
    this.repeated += target.size;
    this.places = target.places;
    if (this.repeated <= MAX_VALUES) return target.value;
    if (before <= MAX_VALUES)
      this.faults.push({ path, offset, message: 'expected fewer aliases of aliases' });
    return null;
  }

  private readScalar(scalar: Scalar, path: ConfigPath): unknown {
    const { value } = scalar;
    const { variables } = this;
    if (typeof value !== 'string' || variables === 'kept' || !hasReference(value)) return value;
    const { text, problems } = interpolate(value, variables);
    const offset = this.startOf(scalar);
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
