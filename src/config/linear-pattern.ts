import { RE2JS } from 're2js';
import { z } from 'zod';

const MAX_LENGTH = 1000;
const MAX_PROGRAM = 2000;

/** A regular expression that matches in time that grows with the length of a text, whatever the text is. */
export interface LinearPattern {
  readonly source: string;
  /** How many instructions it is compiled to: what one character of a text can cost. */
  readonly programSize: number;
  /** Whether the whole text, not a part of it, is one that the expression describes. */
  matches(text: string): boolean;
  /** Whether some part of the text is one. */
  finds(text: string): boolean;
}

/**
 * Compiles a regular expression of RE2's syntax. What could only be matched by going back, such as back-references and
 * lookarounds, is none, and neither is one whose repetitions make it too large.
 *
 * @throws {Error} for the operator, saying what of it is not accepted.
 */
export function compileLinear(source: string): LinearPattern {
  if (source.length > MAX_LENGTH) {
    throw new Error(
      `expected a regular expression of at most ${MAX_LENGTH} characters, got ${source.length}`,
    );
  }
  const compiled = parse(source);
  if (typeof compiled === 'string') {
    const engine = 'RE2, which never backtracks (no lookarounds, no back-references)';
    throw new Error(`expected a regular expression of ${engine}: ${compiled}`);
  }
  if (compiled.programSize() > MAX_PROGRAM)
    throw new Error(
      `expected a smaller regular expression: the repetitions of "${source}" make too much of it`,
    );
  return {
    source,
    programSize: compiled.programSize(),
    matches: (text) => compiled.testExact(text),
    finds: (text) => compiled.test(text),
  };
}

/** What is wrong with it, where something is. */
function parse(source: string): RE2JS | string {
  try {
    return RE2JS.compile(source);
  } catch (error) {
    return (error as Error).message.replace(/^error parsing regexp: /, '').replaceAll('`', '"');
  }
}

/** Says what is wrong with an expression; undefined for nothing. */
export function patternFault(source: string): string | undefined {
  try {
    compileLinear(source);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * An expression of the configuration.
 *
 * @param lead what its fault begins with.
 */
export function patternText(lead = ''): z.ZodString {
  return z
    .string()
    .min(1)
    .superRefine((text, context) => {
      const fault = patternFault(text);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: lead + fault });
    });
}
