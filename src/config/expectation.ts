import type { z } from 'zod';
import { kindOf, wordsOf } from './issue-words.ts';

/** How the messages begin that zod makes up itself; every other message was written for this field. */
const STOCK_MESSAGE = /^(Invalid |Too (small|big): |Unrecognized key)/;

/**
 * Says in words what was expected where the issues are: alternatives joined by "or", allowed values first.
 *
 * @param found the value that stands there, undefined for none; its kind is named where the kind is what is wrong,
 * its content never is, for it may be a secret.
 */
export function expectation(issues: readonly z.core.$ZodIssue[], found: unknown): string {
  const own = issues
    .filter((issue) => issue.code === 'custom' || !isStock(issue))
    .map((issue) => issue.message);
  const values = issues.filter(isStock).flatMap(valuesOf);
  const kinds = issues.filter(isStock).map(wordsOf);
  const choices = [...choiceOf(values), ...kinds, ...own].filter((words) => words !== undefined);
  const text = joined([...new Set(choices.map((words) => words.replace(/^expected /, '')))]);
  return `${isSentence(own, choices) ? '' : 'expected '}${text}${foundSuffix(issues, found)}`;
}

/** The names that an enumeration among the issues allows. */
export function allowedNames(issues: readonly z.core.$ZodIssue[]): string[] {
  return issues.flatMap(valuesOf).filter((value) => typeof value === 'string');
}

function valuesOf(issue: z.core.$ZodIssue): readonly z.core.util.Primitive[] {
  if (issue.code === 'invalid_value') return issue.values;
  return issue.code === 'invalid_union' && 'options' in issue ? (issue.options ?? []) : [];
}

function joined(choices: readonly string[]): string {
  const separator = choices.some((words) => words.includes(', ')) ? ', or ' : ' or ';
  if (choices.length < 3 || separator === ', or ') return choices.join(separator);
  return `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}

function isStock(issue: z.core.$ZodIssue): boolean {
  return issue.code !== 'custom' && STOCK_MESSAGE.test(issue.message);
}

/** A message of a refinement that is a sentence of its own is left as it was written. */
function isSentence(own: readonly string[], choices: readonly string[]): boolean {
  return choices.length === 1 && own.length === 1 && !own[0]?.startsWith('expected ');
}

function choiceOf(values: readonly z.core.util.Primitive[]): string[] {
  const [only] = values;
  if (values.length > 1) return [`one of ${values.map(String).join(', ')}`];
  if (values.length === 0) return [];
  return [typeof only === 'string' ? `"${only}"` : String(only)];
}

function foundSuffix(issues: readonly z.core.$ZodIssue[], found: unknown): string {
  if (found === undefined || !issues.every((issue) => isOtherKind(issue, found))) return '';
  const text = issues.every((issue) => issue.code === 'invalid_type' && issue.expected === 'string');
  const quotable = typeof found === 'number' || typeof found === 'boolean';
  return `, found ${kindOf(found)}${text && quotable && issues.every(isStock) ? '; put it in quotes' : ''}`;
}

/** Tells whether the kind of the value is what is wrong with it, and not which value it is. */
function isOtherKind(issue: z.core.$ZodIssue, found: unknown): boolean {
  if (issue.code === 'invalid_value') return issue.values.every((value) => typeof value !== typeof found);
  return issue.code === 'invalid_type';
}
