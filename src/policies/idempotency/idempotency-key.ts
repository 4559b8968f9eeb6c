import type { IncomingMessage } from 'node:http';
import { Problem } from '../../problems/problem.ts';

const FIELD = 'idempotency-key';
const MAX_LENGTH = 255;
/** A String of Structured Fields (RFC 9651 section 3.3.3). */
const QUOTED = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/;
/** What most clients send in its place: a word without what would make it a list, or a string. */
const BARE = /^[!#-+\--[\]-~]+$/;

/**
 * The key of a request, the same whether it stands in quotes or not; undefined for a request without one
 * (draft-ietf-httpapi-idempotency-key-header-07 section 2.1).
 *
 * @throws {Problem} `idempotency-key-invalid` for what is none: of an empty, cut or second one nobody knows what was meant.
 */
export function keyOf({ headersDistinct }: IncomingMessage): string | undefined {
  const lines = headersDistinct[FIELD];
  if (lines === undefined) return undefined;
  const [line = ''] = lines;
  if (lines.length > 1) throw invalid('It stands there more than once.');
  const text = line.trim();
  const quoted = QUOTED.exec(text)?.[1];
  const key = quoted === undefined ? text : quoted.replace(/\\(.)/g, '$1');
  if (key.length > MAX_LENGTH) throw invalid(`It has more than ${String(MAX_LENGTH)} characters.`);
  if (quoted === '' || (quoted === undefined && !BARE.test(text)))
    throw invalid('It is neither a string in quotes nor a word.');
  return key;
}

/** What speaks against a request because of its key. */
export function invalid(detail: string): Problem {
  return new Problem('idempotency-key-invalid', { detail });
}
