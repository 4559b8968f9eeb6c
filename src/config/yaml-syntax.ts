import type { Document, ErrorCode, YAMLError } from 'yaml';
import type { ConfigFault } from './config-fault.ts';

/** Where a text is from, and how its places are told. */
interface TextContext {
  readonly file: string;
  position(offset: number): { readonly line: number; readonly column: number };
}

/** What keeps a text from being YAML, in our words and without what only follows from it. */
export function syntaxFaultsOf(
  { errors, warnings }: Document.Parsed,
  text: string,
  { file, position }: TextContext,
): ConfigFault[] {
  const placeOf = (error: YAMLError): ReturnType<TextContext['position']> => position(error.pos[0]);
  return withoutEchoes([...errors, ...warnings], (error) => placeOf(error).line).map((error) => ({
    file,
    ...placeOf(error),
    key: '',
    message: syntaxMessage(error, text),
  }));
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
