import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-routes.ts';

const MAX_BODY_BYTES = 64 * 1024;

/**
 * Reads a body of up to 64 KiB as text. A longer one is read to its end and thrown away.
 *
 * @throws {HttpError} 413 when it is longer.
 */
export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_BODY_BYTES) throw new HttpError(413, `the body is longer than ${MAX_BODY_BYTES} bytes`);
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Reads a body of up to 64 KiB as a JSON object.
 *
 * @throws {HttpError} 400 when it is anything else, 413 when it is longer.
 */
export async function readObject(request: IncomingMessage): Promise<Record<string, unknown>> {
  return parseObject(await readText(request));
}

/**
 * Parses a JSON object.
 *
 * @throws {HttpError} 400 when the text is anything else.
 */
export function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HttpError(400, 'the body is not valid JSON');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new HttpError(400, 'the body must be a JSON object');
}

/**
 * Reads one text field of a body.
 *
 * @throws {HttpError} 400 naming the field when it is missing, empty or not text.
 */
export function textField(body: Record<string, unknown>, field: string): string {
  const value = body[field];
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw new HttpError(400, `${field}: text is expected`);
}
