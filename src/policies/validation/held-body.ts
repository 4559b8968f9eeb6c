import { hasForeignCharset } from '../../exchange/charset.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Pieces } from '../../exchange/pieces.ts';
import { repeatedName } from '../../exchange/repeated-names.ts';
import { Problem } from '../../problems/problem.ts';

const JSON_TYPE = /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i;
const WANTED =
  'This body is checked: send one JSON value as application/json, in UTF-8 and without a content coding.';

/** How much of a body is held. */
export interface HoldOptions {
  readonly maxBytes: number;
  /** Whether a larger one goes on unseen; else it is refused. */
  readonly passesLarger: boolean;
}

/**
 * Reads the whole body of a request and keeps it for whoever forwards it, byte by byte as it came.
 *
 * @returns undefined for a larger one that goes on: nothing of it was read, or what was read is read again.
 * @throws {Problem} `body-too-large`, or why the exchange was cancelled.
 */
export function holdBody(
  exchange: Exchange,
  { maxBytes, passesLarger }: HoldOptions,
): Promise<Buffer | undefined> {
  const { request, heldBody } = exchange;
  const bound = Math.min(maxBytes, exchange.route?.policies.bodyLimit ?? Infinity);
  if (heldBody !== undefined)
    return heldBody.length > bound && !passesLarger
      ? Promise.reject(new Problem('body-too-large'))
      : Promise.resolve(heldBody);
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > bound)
    return passesLarger ? Promise.resolve(undefined) : Promise.reject(new Problem('body-too-large'));
  return new Promise((resolve, reject) => {
    const pieces = new Pieces();
    const leave = (): void => {
      exchange.offCancel(fail);
      request.off('data', take).off('end', end).off('error', fail);
      request.pause();
    };
    const fail = (error: Error): void => {
      leave();
      reject(exchange.cancelled ?? error);
    };
    const take = (chunk: Buffer): void => {
      pieces.push(chunk);
      if (pieces.length <= bound) return;
      leave();
      if (!passesLarger) return reject(new Problem('body-too-large'));
      request.unshift(pieces.take());
      resolve(undefined);
    };
    const end = (): void => {
      leave();
      const whole = pieces.take();
      exchange.heldBody = whole;
      resolve(whole);
    };
    request.on('data', take).once('end', end).once('error', fail);
    exchange.onCancel(fail);
  });
}

/** The JSON value of a body, and what in it two readers could read differently. */
export interface HeldJson {
  readonly value: unknown;
  /** A JSON pointer to the first name that stands twice in its object; undefined for none. */
  readonly repeated: string | undefined;
}

/**
 * The JSON value of a body.
 *
 * @throws {Problem} `media-type-unsupported` for what does not say that it is plain JSON, `request-invalid` for what is none.
 */
export function parseHeld({ request }: Exchange, body: Buffer): HeldJson {
  const types = request.headersDistinct['content-type'] ?? [];
  const coding = request.headers['content-encoding'];
  const isPlain = coding === undefined || coding.trim().toLowerCase() === 'identity';
  // Fails closed: whoever reads it might take it for JSON all the same, and of two types for the other one.
  if (!isJson(types) || !isPlain) throw new Problem('media-type-unsupported', { detail: WANTED });
  return parseText(body);
}

/** The JSON value of a text. @throws {Problem} `request-invalid` for what is none. */
export function parseText(bytes: Buffer): HeldJson {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { value: JSON.parse(text), repeated: repeatedName(text) };
  } catch {
    const errors = [{ in: 'body', pointer: '', message: 'must be JSON in UTF-8' }];
    throw new Problem('request-invalid', { extensions: { errors } });
  }
}

/** The first name that stands twice in what a parser has taken for JSON; undefined for none, and for what is none. */
export function repeatedIn({ request }: Exchange, body: Buffer): string | undefined {
  return isJson(request.headersDistinct['content-type'] ?? []) ? repeatedName(body.toString()) : undefined;
}

function isJson([type = '', ...others]: readonly string[]): boolean {
  return others.length === 0 && JSON_TYPE.test(type) && !hasForeignCharset(type);
}
