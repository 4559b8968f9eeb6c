import { isScalar, type Node, type Pair } from 'yaml';
import type { ConfigPath } from './config-path.ts';

/**
 * Where the keys of a map or the items of a list are. It lives as long as the configuration, which the nodes of the YAML
 * library need not: of 10 000 routes they are half a million objects, which the collector of garbage would go through.
 */
export interface PlaceTree {
  /** The keys of a map, in their order, those that stand twice twice; undefined for a list. */
  readonly keys: readonly string[] | undefined;
  /** Where each of them starts in the text; -1 for what is not in it. */
  readonly offsets: readonly number[];
  /** What is below each of them; empty when nothing is below any of them. */
  readonly below: readonly (PlaceTree | undefined)[];
}

/** Maps with more keys are looked into by an index: thousands of faults can be in a map of thousands of upstreams. */
const FEW = 16;

/** Finds places by their paths. */
export class Places {
  readonly #start: number;
  readonly #root: PlaceTree | undefined;
  readonly #indexes = new WeakMap<PlaceTree, ReadonlyMap<string, number>>();

  /** @param start the offset of the whole document. */
  constructor(start: number, root: PlaceTree | undefined) {
    this.#start = start;
    this.#root = root;
  }

  /**
   * Finds the offset of the key (or list item) that a path leads to, or of its nearest existing parent. Of a
   * duplicate key it is the last one, whose value counts. Inside an alias it is the place at the anchor.
   */
  find(path: ConfigPath): number {
    let offset = this.#start;
    let tree = this.#root;
    for (const segment of path) {
      const at = tree === undefined ? -1 : this.#step(tree, segment);
      const found = tree?.offsets[at];
      if (found === undefined) break;
      if (found >= 0) offset = found;
      tree = tree?.below[at];
    }
    return offset;
  }

  #step(tree: PlaceTree, segment: string | number): number {
    const { keys } = tree;
    if (keys === undefined) return typeof segment === 'number' ? segment : -1;
    if (keys.length <= FEW) return keys.lastIndexOf(String(segment));
    let index = this.#indexes.get(tree);
    if (index === undefined) this.#indexes.set(tree, (index = new Map(keys.map((key, at) => [key, at]))));
    return index.get(String(segment)) ?? -1;
  }
}

const NOTHING: readonly undefined[] = [];

/** The places of the keys or items of a node. */
export function placesOf(
  keys: readonly string[] | undefined,
  offsets: readonly number[],
  below: readonly (PlaceTree | undefined)[],
): PlaceTree {
  return { keys, offsets, below: below.every((one) => one === undefined) ? NOTHING : below };
}

/** The key of a pair as text. */
export function keyOf(pair: Pair<Node, Node | null>): string {
  return isScalar(pair.key) ? String(pair.key.value ?? '') : '';
}

/** The offset at which a node starts; undefined for what is not in the text. */
export function startOf(node: unknown): number | undefined {
  const range = (node as Node | null | undefined)?.range;
  return range?.[0];
}
