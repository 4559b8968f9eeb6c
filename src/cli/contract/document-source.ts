import { readFile } from 'node:fs/promises';
import type { OpenApiDocument } from '../../contracts/openapi.ts';

/** Largest document that is read, in bytes; that of ten thousand operations has about half of it. */
const MOST_BYTES = 64 * 1024 * 1024;
const WAIT_MS = 30_000;

/**
 * Reads the OpenAPI document of a gateway, from a file or from where the gateway serves it.
 *
 * @param from `http://…`, `https://…`, or a file.
 * @param headers as `Name: value`, for a document that only some may see.
 * @throws {Error} saying why it cannot be had, or why it is none.
 */
export async function readDocument(
  from: string,
  headers: readonly (readonly [string, string])[],
): Promise<OpenApiDocument> {
  const text = /^https?:\/\//i.test(from) ? await fetched(from, headers) : await ofFile(from);
  return gatewayDocument(text, from);
}

async function ofFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : message;
    throw new Error(`${file} cannot be read: ${reason}`, { cause: error });
  }
}

async function fetched(url: string, headers: readonly (readonly [string, string])[]): Promise<string> {
  const init = { headers: [...headers] as [string, string][], signal: AbortSignal.timeout(WAIT_MS) };
  // Credentials are for whom they were given for.
  const response = await fetch(url, { ...init, redirect: headers.length > 0 ? 'error' : 'follow' }).catch(
    (error: unknown) => {
      const { cause, message } = error as Error;
      throw new Error(`${url} cannot be read: ${(cause as Error | undefined)?.message ?? message}`, {
        cause: error,
      });
    },
  );
  if (!response.ok) {
    const hint =
      response.status === 401 || response.status === 403
        ? `; -H 'Authorization: Bearer …' says who asks`
        : '';
    throw new Error(`${url} answers ${response.status}${hint}`);
  }
  return bounded(url, response);
}

async function bounded(url: string, { body }: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.byteLength;
    if (bytes > MOST_BYTES) throw new Error(`${url} is larger than ${MOST_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/**
 * Reads a text as the document of a gateway.
 *
 * @throws {Error} for what is none, and for one that refers to others: reading these would be up to whoever wrote it.
 */
export function gatewayDocument(text: string, from: string): OpenApiDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${from} is no JSON: ${(error as Error).message}`, { cause: error });
  }
  const reason = whyNone(value);
  if (reason !== undefined) throw new Error(`${from} is no OpenAPI document of a gateway: ${reason}`);
  return value as OpenApiDocument;
}

function whyNone(value: unknown): string | undefined {
  const { openapi, info, paths, components } = (value ?? {}) as Partial<
    Record<keyof OpenApiDocument, unknown>
  >;
  if (typeof openapi !== 'string' || !openapi.startsWith('3.1.')) return 'expected `openapi: 3.1.x`';
  if (!isObject(info) || typeof info['title'] !== 'string') return 'expected `info` with a title';
  if (!isObject(paths)) return 'expected `paths`';
  if (!isObject(components)) return 'expected `components`';
  for (const part of ['schemas', 'responses', 'securitySchemes'])
    if (!isObject(components[part])) return `expected \`components.${part}\``;
  for (const [path, item] of Object.entries(paths))
    for (const [method, operation] of Object.entries(isObject(item) ? item : {})) {
      const isWhole =
        isObject(operation) &&
        typeof operation['operationId'] === 'string' &&
        isObject(operation['responses']) &&
        Array.isArray(operation['security']);
      if (!isWhole)
        return `expected ${method.toUpperCase()} ${path} with operationId, responses and security`;
    }
  const foreign = referenceElsewhere(value);
  return foreign === undefined ? undefined : `it refers to ${JSON.stringify(foreign)}, outside of itself`;
}

function referenceElsewhere(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, one] of Object.entries(value)) {
    if (key === '$ref' && typeof one === 'string' && !one.startsWith('#/')) return one;
    const inner = referenceElsewhere(one);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
