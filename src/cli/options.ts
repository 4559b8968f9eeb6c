import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { nearestName } from '../config/nearest-name.ts';

/** Thrown for arguments that make no sense; its message is one line, and the process exits with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly exitCode = 2;
}

/** The options that were given. */
export interface OptionValues {
  flag(name: string): boolean;
  /** The last value that was given. */
  text(name: string): string | undefined;
  list(name: string): string[];
}

const NONE: ReadonlySet<string> = new Set();

/**
 * Reads options strictly; everything has to be one.
 *
 * @param mayBeEmpty the options whose value may be an empty text. Default none.
 * @throws UsageError for an unknown option, with the nearest name, for a missing value, and for anything else.
 */
export function readOptions(
  args: readonly string[],
  options: ParseArgsOptionsConfig,
  mayBeEmpty: ReadonlySet<string> = NONE,
): OptionValues {
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, (string | true)[]>();
  for (const token of tokens) {
    if (token.kind === 'positional') throw new UsageError(unexpected(token.value, options));
    if (token.kind !== 'option') continue;
    const value = checkedValue(token, options, mayBeEmpty);
    given.set(token.name, [...(given.get(token.name) ?? []), value]);
  }
  const list = (name: string) => (given.get(name) ?? []).filter((value) => value !== true);
  return { flag: (name) => given.has(name), text: (name) => list(name).at(-1), list };
}

// Other tools take the file as an argument, so that is what people type first.
function unexpected(value: string, options: ParseArgsOptionsConfig): string {
  const hint = /\.ya?ml$/.test(value) && 'config' in options ? `; did you mean --config ${value}?` : '';
  return `unexpected argument "${value}"${hint}`;
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function checkedValue(
  token: OptionToken,
  options: ParseArgsOptionsConfig,
  mayBeEmpty: ReadonlySet<string>,
): string | true {
  const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
  if (!option) {
    const nearest = nearestName(token.name, Object.keys(options));
    throw new UsageError(
      `unknown option ${token.rawName}${nearest === undefined ? '; see gatehouse --help' : `; did you mean --${nearest}?`}`,
    );
  }
  if (option.type === 'boolean') {
    if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
    return true;
  }
  if (token.value === '' && mayBeEmpty.has(token.name)) return '';
  // An option where a value belongs is a forgotten value; one that does start with a dash is written --name=-x.
  if (!token.value || (!token.inlineValue && token.value.startsWith('-'))) {
    throw new UsageError(`${token.rawName}: expected a value`);
  }
  return token.value;
}
