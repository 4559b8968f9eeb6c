import { RE2JS } from 're2js';
import { z } from 'zod';

/** A regular expression of an operator, in RE2 syntax: matching takes time linear in the text, whatever the pattern. */
export interface LinearPattern {
  /** Whether it matches the text as a whole. */
  matchesWhole(text: string): boolean;
  /** Whether it matches somewhere in the text. */
  matchesSomewhere(text: string): boolean;
}

/**
 * Compiles a pattern.
 *
 * @throws {Error} for what RE2 does not know, such as back-references and lookarounds, which need backtracking.
 */
export function linearPattern(source: string): LinearPattern {
  const compiled = RE2JS.compile(source);
  return {
    matchesWhole: (text) => compiled.testExact(text),
    matchesSomewhere: (text) => compiled.test(text),
  };
}

/** Says what is wrong with a pattern; undefined for nothing. */
export function patternFault(source: string): string | undefined {
  try {
    linearPattern(source);
    return undefined;
  } catch (error) {
    return `expected a regular expression in RE2 syntax, without back-references and lookarounds: ${(error as Error).message}`;
  }
}

/** A pattern of the configuration; its faults say what RE2 does not like about it. */
export const patternText = z
  .string()
  .min(1)
  .max(1000)
  .superRefine((text, context) => {
    const message = patternFault(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
