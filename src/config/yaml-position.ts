import { isAlias, isMap, isScalar, isSeq, type Document, type Node, type Pair } from 'yaml';
import type { ConfigPath } from './config-path.ts';

/**
 * Finds the offset of the key (or list item) that a path leads to, or of its nearest existing parent. Of a
 * duplicate key it is the last one, whose value counts. Inside an alias it is the place at the anchor.
 */
export function locateNode(document: Document<Node>, path: ConfigPath): number {
  let node: Node | null = document.contents;
  let offset = startOf(node) ?? 0;
  for (const segment of path) {
    const found = step(isAlias(node) ? (node.resolve(document) ?? null) : node, segment);
    if (!found) break;
    offset = startOf(found.place) ?? offset;
    node = found.node;
  }
  return offset;
}

interface Found {
  readonly place: unknown;
  readonly node: Node | null;
}

function step(node: Node | null, segment: string | number): Found | undefined {
  if (isSeq<Node>(node) && typeof segment === 'number') {
    const item = node.items[segment];
    return item && { place: item, node: item };
  }
  if (!isMap<Node, Node | null>(node)) return undefined;
  const pair = node.items.findLast((item) => keyOf(item) === String(segment));
  return pair && { place: pair.key, node: pair.value };
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
