import { LineCounter, parseDocument, type ErrorCode, type YAMLError } from 'yaml';
import { ConfigError, type ConfigFault } from './config-fault.ts';
import type { ConfigPath } from './config-path.ts';
import type { Variables } from './interpolation.ts';
import { readTree } from './yaml-tree.ts';

/** A place in a text; both 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A YAML file that was read: what it says, where it says it, and what is wrong with it short of its syntax. */
export interface YamlDocument {
  readonly file: string;
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
 * @throws ConfigError with all syntax faults when the text is not YAML.
 */
export function readYaml(text: string, file: string, variables: Variables = process.env): YamlDocument {
  const lines = new LineCounter();
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const document = parse(text, lines);
  const placeOf = (error: YAMLError): Position => position(error.pos[0]);
  const errors = withoutEchoes([...document.errors, ...document.warnings], (error) => placeOf(error).line);
  const syntaxFaults = errors.map((error): ConfigFault => ({
    file,
    ...placeOf(error),
    key: '',
    message: syntaxMessage(error, text),
  }));
  if (syntaxFaults.length > 0) throw new ConfigError(syntaxFaults);
  const { places, ...tree } = readTree(document.contents, { file, variables, position });
  return {
    file,
    ...tree,
    locate: (path) => position(places.find(path)),
  };
}

function parse(text: string, lineCounter: LineCounter) {
  return parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
    uniqueKeys: false, // The tree reader finds duplicates, because it knows their path.
    prettyErrors: false,
    lineCounter,
    logLevel: 'error',
  });
}

const SYNTAX_MESSAGES: Readonly<Partial<Record<ErrorCode, string>>> = {
  MULTIPLE_DOCS: 'expected one document; remove the "---" that starts another',
  TAB_AS_INDENT: 'expected spaces as indentation, found a tab',
  NON_STRING_KEY: 'expected text as a key',
  RESOURCE_EXHAUSTION: 'expected fewer levels of nesting',
};

const VARIABLE_IN_FLOW =
  'inside { } and [ ] expected a variable in quotes, "${NAME}", which makes it text; ' +
  'for a number write the map or list over several lines';

function syntaxMessage(error: YAMLError, text: string): string {
  const offset = error.pos[0];
  if (text.slice(offset - 1, offset + 1) === '${') return VARIABLE_IN_FLOW;
  const [first = '', ...rest] = error.message;
  return SYNTAX_MESSAGES[error.code] ?? `not YAML: ${first.toLowerCase()}${rest.join('')}`;
}

/**
 * After a mistake the parser stumbles over the rest of the line, or of the text: those complaints, and all but the
 * first about one character, say nothing new.
 */
function withoutEchoes(errors: readonly YAMLError[], lineOf: (error: YAMLError) => number): YAMLError[] {
  const kept: YAMLError[] = [];
  for (const error of errors.toSorted((a, b) => a.pos[0] - b.pos[0])) {
    const last = kept.at(-1);
    if (last && (last.pos[0] === error.pos[0] || isEcho(error, lineOf(last) === lineOf(error)))) continue;
    kept.push(error);
  }
  return kept;
}

function isEcho(error: YAMLError, sameLine: boolean): boolean {
  return error.code === 'UNEXPECTED_TOKEN' && (sameLine || error.message.includes('in YAML stream'));
}
