import { isMap, isSeq, type Document, type Node } from 'yaml';
import { readPlainItem, type PlainItem } from './plain-item.ts';

/** The long list of a file: its items, and the file without them. */
export interface LongList {
  readonly text: string;
  /** The key at the left margin under which the list is, and where that is. */
  readonly keyOffset: number;
  /** The line of the key and its end, which make a document of any of the items. */
  readonly heading: string;
  /** Where each item starts, and where the last one ends. */
  readonly bounds: readonly number[];
  /** The column of the items, from 0. */
  readonly column: number;
  /** The text without the items. */
  readonly outline: string;
}

/** Some items of a long list, read already or as the library has parsed them. */
export type Piece =
  | { readonly plain: PlainItem }
  | {
      readonly nodes: readonly Node[];
      /** How much further in the file they are than in their own text. */
      readonly shift: number;
    };

/** Thrown when a piece is no YAML by itself: the file has to be read as a whole, which tells what is wrong with it. */
export class PieceFault extends Error {}

/** How many items the library parses at a time: so few that they are gone before the collector of garbage copies them. */
const AT_A_TIME = 20;

/** A list that is shorter is read with the rest: there is nothing to gain. */
export const LONG = 64 * 1024;

const HEADING = /^[A-Za-z]\w*:(?: *| +#.*)\n(?=(?: *(?:#.*)?\n)*( *)- )/gm;

/**
 * Finds a long list below a key at the left margin, by its lines. It may be mistaken where such lines are part of a text over
 * several lines: then neither the outline nor the items are YAML that says the same, which whoever reads them has to check.
 *
 * @param least how long a list has to be.
 */
export function findLongList(text: string, least = LONG): LongList | undefined {
  if (text.length < least) return undefined;
  for (const found of text.matchAll(HEADING)) {
    const [heading, margin = ''] = found;
    const bounds = boundsOf(text, found.index + heading.length, margin.length);
    const [start, end] = [bounds[0] as number, bounds.at(-1) as number];
    if (end - start < least) continue;
    const outline = text.slice(0, start) + text.slice(end);
    return { text, keyOffset: found.index, heading, bounds, column: margin.length, outline };
  }
  return undefined;
}

// An item begins with a dash in the column; what is further left, or there without a dash, is no part of the list.
function boundsOf(text: string, from: number, column: number): number[] {
  const bounds: number[] = [];
  let line = from;
  while (line < text.length) {
    const indent = indentOf(text, line);
    const first = text[line + indent];
    const isContent = first !== undefined && first !== '\n' && first !== '#';
    if (isContent && indent === column && /^-[ \n]/.test(text.slice(line + indent, line + indent + 2)))
      bounds.push(line);
    else if (isContent && indent <= column) break;
    const end = text.indexOf('\n', line);
    line = end < 0 ? text.length : end + 1;
  }
  return [...bounds, line];
}

function indentOf(text: string, line: number): number {
  let indent = 0;
  while (text[line + indent] === ' ') indent += 1;
  return indent;
}

/**
 * Reads a long list piece by piece: what is plain by itself, the rest with the library.
 *
 * @throws {PieceFault} when a piece has a fault.
 */
export function* piecesOf(list: LongList, parse: (text: string) => Document.Parsed): Generator<Piece> {
  const { text, bounds, column, heading } = list;
  const count = bounds.length - 1;
  for (let index = 0; index < count; index += 1) {
    const start = bounds[index] as number;
    const plain = readPlainItem(text.slice(start, bounds[index + 1]), start, column);
    if (plain !== undefined) {
      yield { plain };
      continue;
    }
    const next = Math.min(index + AT_A_TIME, count);
    const document = parse(heading + text.slice(start, bounds[next]));
    yield { nodes: itemsOf(document, next - index), shift: start - heading.length };
    index = next - 1;
  }
}

function itemsOf({ errors, warnings, contents }: Document.Parsed, count: number): readonly Node[] {
  const [pair] = isMap<Node, Node | null>(contents) ? contents.items : [];
  const list = pair?.value;
  if (errors.length > 0 || warnings.length > 0 || !isSeq<Node>(list) || list.items.length !== count)
    throw new PieceFault();
  return list.items;
}
