import { fieldsOf } from '../../exchange/field-list.ts';
import { PARAMETERS, STRING } from './targeted-field.ts';

const MEMBER = String.raw`${STRING}${PARAMETERS}`;
const LIST = new RegExp(String.raw`^[\t ]*${MEMBER}(?:[\t ]*,[\t ]*${MEMBER})*[\t ]*$`);
const FIRST = new RegExp(String.raw`(${STRING})${PARAMETERS}`, 'g');
const NONE: readonly string[] = Object.freeze([]);

/**
 * The groups that a field of an answer names (RFC 9875 section 2), as tags of its host: a group is one of its origin, and
 * another origin's of the same name is another one. What is no list of strings is ignored as a whole (RFC 9651 section 4.2).
 */
export function groupsOf(headers: readonly string[], field: string, host: string): readonly string[] {
  const lines = fieldsOf(headers, field);
  if (lines.length === 0) return NONE;
  const list = lines.join(', ');
  if (!LIST.test(list)) return NONE;
  // No tag that is a word can be the same: it has no line break.
  return [...list.matchAll(FIRST)].map(([, text = '""']) => `${host}\n${unquoted(text)}`);
}

function unquoted(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(.)/g, '$1');
}
