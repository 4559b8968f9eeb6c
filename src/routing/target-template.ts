import { parseTemplate, type ParsedTemplate } from '../templates/parse-template.ts';
import type { Place } from '../templates/template.ts';
import { TemplateError } from '../templates/template-fault.ts';
import { isDotValue } from '../upstreams/http/path-value.ts';
import { normalizePath } from './request-path.ts';

/** What servers take for a separator also when it is encoded. */
const SEPARATOR = /[/\\\p{Cc}]/u;

/**
 * A segment of a path, or a part of one. Fails closed: `..` has no encoding, and some servers decode a slash before they look
 * at the path. What was matched in the path stays as it was matched.
 */
export const IN_PATH: Place = {
  write: (text) => (isDotValue(text) || SEPARATOR.test(text) ? undefined : encodeURIComponent(text)),
  writeEncoded: (text) => text,
  misfit: 'cannot be part of a path',
};

/** A part of a query: what is harmless in a path may separate pairs there. */
export const IN_QUERY: Place = {
  write: (text) => encodeURIComponent(text.toWellFormed()),
  writeEncoded: (text) => text.replace(/[&=+?#;]/g, encodeURIComponent),
  misfit: 'cannot be part of a query',
};

/** Path and query of a template, each for its own place. */
export interface TargetTemplate {
  readonly path: ParsedTemplate;
  /** With its `?`, or empty. */
  readonly query: ParsedTemplate;
}

/**
 * Takes a template of path and query apart.
 *
 * @throws {TemplateError} when it is none, or could be read as another path: an empty value is none of a path.
 */
export function parseTarget(text: string): TargetTemplate {
  const { literals, placeholders } = parseTemplate(text);
  if (!text.startsWith('/')) throw new TemplateError(`expected a path that starts with "/", got "${text}"`);
  if (literals.some((literal) => /[^\x21-\x7e]|[#{}]/.test(literal)))
    throw new TemplateError(`expected a percent-encoded path and query, got "${text}"`);
  const mark = literals.findIndex((literal) => literal.includes('?'));
  if (mark < 0) return { path: checked({ literals, placeholders }, text), query: NOTHING };
  const split = literals[mark] as string;
  const at = split.indexOf('?');
  const path = {
    literals: [...literals.slice(0, mark), split.slice(0, at)],
    placeholders: placeholders.slice(0, mark),
  };
  const query = {
    literals: [split.slice(at), ...literals.slice(mark + 1)],
    placeholders: placeholders.slice(mark),
  };
  return { path: checked(path, text), query };
}

const NOTHING: ParsedTemplate = { literals: [''], placeholders: [] };
const REST = '*';

function checked(path: ParsedTemplate, text: string): ParsedTemplate {
  const { literals, placeholders } = path;
  if (normalizePath(literals.join('x')) === undefined)
    throw new TemplateError(`expected a percent-encoded path without empty and dot segments, got "${text}"`);
  if (placeholders.some(({ fallback }) => fallback === ''))
    throw new TemplateError(`expected a default that is not empty in a path, got "${text}"`);
  // The rest may be empty, or several segments.
  const isMisplaced = placeholders.some(
    ({ name }, i) =>
      name === REST && (literals[i + 1] !== '' || i + 2 < literals.length || !literals[i]?.endsWith('/')),
  );
  if (isMisplaced) throw new TemplateError(`expected {*} only at the end of the path, got "${text}"`);
  return path;
}
