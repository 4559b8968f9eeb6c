import { hash } from 'node:crypto';
import { isMap, isScalar, parseDocument, type Document, type Node } from 'yaml';
import { ConfigError, type ConfigFault } from './config-fault.ts';
import type { ConfigPath } from './config-path.ts';
import type { Variables } from './interpolation.ts';
import { Lines } from './lines.ts';
import { findLongList, LONG, PieceFault, piecesOf } from './long-list.ts';
import { syntaxFaultsOf } from './yaml-syntax.ts';
import { readTree, type CutOut } from './yaml-tree.ts';

/** A place in a text; both 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
  /** Which text, where that is not the document's own: of what a configuration includes. */
  readonly file?: string;
}

/** A YAML file that was read: what it says, where it says it, and what is wrong with it short of its syntax. */
export interface YamlDocument {
  readonly file: string;
  /** What was read. */
  readonly text: string;
  /** When it was read, in ms since the epoch. */
  readonly readAtMs: number;
  /** SHA-256 of the text in hex: of what was written, without what variables stand for. */
  readonly digest: string;
  /** Plain maps, lists and scalars, references to variables filled in; null for an empty file. */
  readonly value: unknown;
  /** Faults that leave the tree readable: duplicate keys, unset variables, unknown anchors. */
  readonly faults: readonly ConfigFault[];
  /** The paths of those faults, so that the same place is not reported twice. */
  readonly faultyPaths: readonly ConfigPath[];
  /** Where the key or list item is, or the nearest parent of it that exists. */
  locate(path: ConfigPath): Position;
}

/**
 * Reads YAML 1.2 with the core schema: no timestamps, no merge keys, keys are always strings, aliases are bounded.
 *
 * @param variables what references stand for; `kept` leaves them as they are, for files of other formats.
 * @param long how many characters a list has to have to be read piece by piece, which is quicker and says the same.
 * @throws ConfigError with all syntax faults when the text is not YAML.
 */
export function readYaml(
  text: string,
  file: string,
  variables: Variables | 'kept' = process.env,
  long = LONG,
): YamlDocument {
  const readAtMs = Date.now();
  const lines = new Lines(text);
  const position = (offset: number): Position => lines.at(offset);
  const context = { file, variables, position };
  const { places, ...tree } = readInPieces(text, context, long) ?? readWhole(text, context);
  return {
    file,
    text,
    readAtMs,
    digest: hash('sha256', text, 'hex'),
    ...tree,
    locate: (path) => position(places.find(path)),
  };
}

type Context = Parameters<typeof readTree>[1];

function readWhole(text: string, context: Context): ReturnType<typeof readTree> {
  const document = parse(text);
  const syntaxFaults = syntaxFaultsOf(document, text, context);
  if (syntaxFaults.length > 0) throw new ConfigError(syntaxFaults);
  return readTree(document.contents, context);
}

// Undefined where there is no long list, and where anything is wrong: that is told of the file as a whole.
function readInPieces(text: string, context: Context, long: number): ReturnType<typeof readTree> | undefined {
  const list = findLongList(text, long);
  if (list === undefined) return undefined;
  const { outline, keyOffset, bounds } = list;
  const document = parse(outline);
  if (!isWithoutList(document, keyOffset)) return undefined;
  const cut: CutOut = {
    keyOffset,
    start: bounds[0] as number,
    length: text.length - outline.length,
    pieces: () => piecesOf(list, parse),
  };
  try {
    return readTree(document.contents, { ...context, cut });
  } catch (error) {
    if (error instanceof PieceFault) return undefined;
    throw error;
  }
}

// That nothing stands where the list has been also shows that its lines were no part of a text.
function isWithoutList({ errors, warnings, contents }: Document.Parsed, keyOffset: number): boolean {
  if (errors.length > 0 || warnings.length > 0 || !isMap<Node, Node | null>(contents)) return false;
  const pair = contents.items.find(({ key }) => key.range?.[0] === keyOffset);
  if (contents.flow === true || pair === undefined) return false;
  const { value } = pair;
  return value === null || (isScalar(value) && value.source === '' && value.tag === undefined);
}

function parse(text: string): Document.Parsed {
  return parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
    uniqueKeys: false, // The tree reader finds duplicates, because it knows their path.
    prettyErrors: false,
    logLevel: 'error',
  });
}
