import { TemplateError } from './template-fault.ts';

/** A `{name}` of a template, or a `{name|default}`. */
export interface Placeholder {
  readonly name: string;
  /** What stands in for a value that is missing; undefined for nothing, in which case there has to be one. */
  readonly fallback: string | undefined;
}

/** A template taken apart: a literal before each placeholder, and one after the last. */
export interface ParsedTemplate {
  readonly literals: readonly string[];
  readonly placeholders: readonly Placeholder[];
}

const BRACE = /[{}]/g;

/**
 * Takes a template apart: THE grammar of every text that values are filled into. `{name}` stands for a value, `{name|text}` for
 * the text where there is no such value, `{{` and `}}` for a brace.
 *
 * @throws {TemplateError} for a brace that is none of these.
 */
export function parseTemplate(text: string): ParsedTemplate {
  const literals: string[] = [];
  const placeholders: Placeholder[] = [];
  let literal = '';
  let at = 0;
  for (;;) {
    BRACE.lastIndex = at;
    const found = BRACE.exec(text);
    if (found === null) break;
    const { index } = found;
    literal += text.slice(at, index);
    if (text[index + 1] === text[index]) {
      literal += text[index];
      at = index + 2;
      continue;
    }
    const end = endOf(text, index);
    placeholders.push(placeholderOf(text.slice(index + 1, end)));
    literals.push(literal);
    literal = '';
    at = end + 1;
  }
  return { literals: [...literals, literal + text.slice(at)], placeholders };
}

function endOf(text: string, open: number): number {
  BRACE.lastIndex = open + 1;
  const next = text[open] === '{' ? BRACE.exec(text) : null;
  if (next?.[0] === '}') return next.index;
  throw new TemplateError(
    `expected {name} for each value, and {{ or }} for a brace, got "${text}" with one at character ${open + 1}`,
  );
}

function placeholderOf(inner: string): Placeholder {
  const bar = inner.indexOf('|');
  if (bar < 0) return { name: inner, fallback: undefined };
  return { name: inner.slice(0, bar), fallback: inner.slice(bar + 1) };
}
