import type { FastifyRequest } from 'fastify';
import { parseRequestParams, type RequestParams } from 'graphql-http';
import { Problem } from '../../../problems/problem.ts';
import { mayHaveLongIntegers, parseExactly } from '../execution/exact-integers.ts';

const UNSUPPORTED_MEDIA_TYPE = 415;
const MAY_HAVE_HASH = /documentId|persistedQuery/;
const HASH = /^(?:sha256:)?([0-9a-f]{64})$/i;

/** What a request asks for: a text, the hash of one, or both. */
export interface GraphqlRequest extends Omit<RequestParams, 'query'> {
  /** Absent when the client sent only the hash. */
  readonly query: string | undefined;
  /** SHA-256 of a checked-in document (`documentId`), in lower-case hex. */
  readonly documentId?: string | undefined;
  /** SHA-256 that came as `extensions.persistedQuery`, in lower-case hex. */
  readonly persisted?: string | undefined;
}

/** What the libraries of subscriptions have checked, and `documentId`, which they do not know. */
interface ReadParams extends Pick<GraphqlRequest, 'query' | 'operationName' | 'variables'> {
  readonly documentId?: unknown;
  readonly extensions?: Record<string, unknown> | null | undefined;
}

/**
 * Reads the parameters by GraphQL over HTTP, plus `documentId` and `extensions.persistedQuery`.
 *
 * @returns a sentence when they are malformed.
 * @throws {Problem} for a media type or method that GraphQL does not take.
 */
export async function readRequest(request: FastifyRequest): Promise<GraphqlRequest | string> {
  const method = request.method === 'POST' ? 'POST' : 'GET';
  const body = (request.body as string | undefined) ?? '';
  const source = method === 'POST' ? body : request.url;
  // Most requests carry a text and no hash; they are read once, by the library alone.
  const fields = needsFields(source) ? fieldsOf(method, source) : undefined;
  const hashes = fields === undefined ? {} : hashesOf(fields);
  if (typeof hashes === 'string') return hashes;
  const hashOnly = fields !== undefined && !fields['query'] && Object.keys(hashes).length > 0;
  try {
    const params = await parseRequestParams({
      method: hashOnly ? 'POST' : method,
      url: request.url,
      headers: hashOnly && method === 'GET' ? { 'content-type': 'application/json' } : request.headers,
      // The library insists on a text; the hash stands in for it until the text is found.
      body: hashOnly ? { ...fields, query: 'hash' } : body,
      raw: request.raw,
      context: undefined,
    });
    if (Array.isArray(params)) throw refusalOf(params[1].status);
    return {
      ...(params as RequestParams),
      ...hashes,
      ...(hashOnly ? { query: undefined } : {}),
      // The library loses digits.
      ...(fields?.['variables'] === undefined ? {} : { variables: fields['variables'] }),
    } as GraphqlRequest;
  } catch (error) {
    if (error instanceof Problem) throw error;
    return (error as Error).message;
  }
}

function refusalOf(status: number): Problem {
  if (status === UNSUPPORTED_MEDIA_TYPE) return new Problem('media-type-unsupported');
  return new Problem('method-not-allowed', { headers: { allow: 'GET, POST' } });
}

/** The parameters of a request by name, as they came. */
export type RequestFields = Readonly<Record<string, unknown>>;

/** Whether a text could ask for a document by its hash. */
export function mayHaveHash(source: string): boolean {
  return MAY_HAVE_HASH.test(source);
}

/**
 * Whether a body or a URL could have what the libraries do not read: the hash of a document, or integers beyond 2^53.
 * Most have neither, and are then read only once.
 */
export function needsFields(source: string): boolean {
  return mayHaveHash(source) || mayHaveLongIntegers(source);
}

/**
 * Makes a request of parameters that a library has read. An empty text stands for none where there is a hash:
 * the libraries of subscriptions insist on one.
 *
 * @returns a sentence when a hash or the name of the operation is malformed.
 */
export function requestOf(fields: ReadParams): GraphqlRequest | string {
  const hashes = hashesOf(fields);
  if (typeof hashes === 'string') return hashes;
  const { operationName, variables, extensions } = fields;
  // One of the libraries does not look at it.
  if (typeof (operationName ?? '') !== 'string') return 'Invalid operationName';
  const query = fields.query || Object.keys(hashes).length === 0 ? fields.query : undefined;
  return { query, operationName, variables, extensions: extensions ?? undefined, ...hashes };
}

/** The parameters by name; undefined when they cannot be read, which the library then words. */
export function fieldsOf(method: 'GET' | 'POST', source: string): RequestFields | undefined {
  try {
    if (method === 'POST') {
      const body: unknown = parseExactly(source);
      return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : undefined;
    }
    const query = Object.fromEntries(new URLSearchParams(source.slice(source.indexOf('?') + 1)));
    const json = (name: string): unknown => (query[name] ? parseExactly(query[name]) : undefined);
    return { ...query, variables: json('variables'), extensions: json('extensions') };
  } catch {
    return undefined;
  }
}

function hashesOf(
  fields: Pick<ReadParams, 'documentId' | 'extensions'>,
): Pick<GraphqlRequest, 'documentId' | 'persisted'> | string {
  const { documentId } = fields;
  const extension = fields.extensions?.['persistedQuery'];
  const persisted = (extension as { sha256Hash?: unknown } | null | undefined)?.sha256Hash;
  const hashes: { documentId?: string; persisted?: string } = {};
  for (const [name, given] of [
    ['documentId', documentId],
    ['persisted', persisted],
  ] as const) {
    if (given === undefined) continue;
    const hash = typeof given === 'string' ? HASH.exec(given)?.[1] : undefined;
    if (hash === undefined)
      return `Expected the SHA-256 of a document in hex as "${name === 'persisted' ? 'sha256Hash' : name}".`;
    hashes[name] = hash.toLowerCase();
  }
  return hashes;
}
