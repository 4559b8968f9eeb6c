import type { Exchange } from '../../exchange/exchange.ts';
import { isLarger } from '../../exchange/json-size.ts';
import { Problem } from '../../problems/problem.ts';
import type { IncomingEdit } from '../incoming-edit.ts';
import type { Stage } from '../stage.ts';
import { editJson } from './maskable-body.ts';

/** What stages do to the body of a request, as one edit; undefined for nothing. To be made once for each request. */
export function incomingEditOf(stages: readonly Stage[]): IncomingEdit | undefined {
  const [first, ...others] = stages.flatMap(({ incoming }) => incoming ?? []);
  if (first === undefined || others.length === 0) return first;
  const all = [first, ...others];
  return {
    edit: (exchange, value) => all.reduce((edited, one) => one.edit(exchange, edited), value),
    maxBytes: Math.min(...all.map(({ maxBytes }) => maxBytes)),
    // Fails closed: one that insists is enough.
    onFault: all.some(({ onFault }) => onFault === 'fail') ? 'fail' : 'pass',
  };
}

/**
 * Edits the text of a body that is whole and decoded; the same bytes when nothing is changed.
 *
 * @throws {Problem} `body-too-large`, or `request-invalid` when it is not JSON in UTF-8.
 */
export function editIncoming(exchange: Exchange, text: Buffer, { edit, maxBytes }: IncomingEdit): Buffer {
  if (text.length > maxBytes) throw new Problem('body-too-large');
  try {
    return editJson(text, (value) => edit(exchange, value));
  } catch (error) {
    // What is no JSON here is the client's fault.
    const isOwn = error instanceof Problem && error.code !== 'upstream-response-invalid';
    throw isOwn ? error : noJson(error);
  }
}

/**
 * Edits what a parser has made of a body for a handler.
 *
 * @throws {Problem} `body-too-large`, or `media-type-unsupported` for what is no JSON.
 */
export function editParsed(exchange: Exchange, value: unknown, incoming: IncomingEdit): unknown {
  if (value === undefined || value === null) return value;
  const isJson = typeof value === 'object' && !(value instanceof Uint8Array) && !('pipe' in value);
  if (isJson && !isLarger(value, incoming.maxBytes)) return incoming.edit(exchange, value);
  if (incoming.onFault === 'pass') return value;
  throw new Problem(isJson ? 'body-too-large' : 'media-type-unsupported');
}

function noJson(cause: unknown): Problem {
  const errors = [{ pointer: '', message: 'expected JSON in UTF-8' }];
  return new Problem('request-invalid', { cause, extensions: { errors } });
}
