/** The media types that answers come in. */
export const GRAPHQL_MEDIA_TYPES = ['application/graphql-response+json', 'application/json'] as const;

/** The media type of an answer. */
export type GraphqlMediaType = (typeof GRAPHQL_MEDIA_TYPES)[number];

const MAX_REMEMBERED = 200;
const MAX_LENGTH = 512;
const remembered = new Map<string, GraphqlMediaType | undefined>();

/**
 * Chooses the media type of the answer from an `Accept` field by its quality values, the more specific range
 * first (RFC 9110 section 12.5.1). Without the field, and for `*` ranges, it is `application/json`.
 *
 * @returns undefined when the client accepts neither.
 */
export function negotiate(accept: string | undefined): GraphqlMediaType | undefined {
  if (accept === undefined || accept === '*/*') return 'application/json';
  if (remembered.has(accept)) return remembered.get(accept);
  const chosen = choose(accept);
  // A handful of values make up all traffic; beyond that nobody gains from remembering.
  if (remembered.size < MAX_REMEMBERED && accept.length < MAX_LENGTH) remembered.set(accept, chosen);
  return chosen;
}

/** The media type of GraphQL over Server-Sent Events. */
export const EVENT_STREAM = 'text/event-stream';

/**
 * Whether a client asks for a stream: it accepts `text/event-stream` and would rather have that than JSON. Clients
 * that read whatever comes list both, and get JSON.
 */
export function prefersStream(accept: string | undefined): boolean {
  return accept !== undefined && prefers(EVENT_STREAM, accept);
}

/** Whether a client would rather see a page than JSON, as browsers do that open an address. */
export function prefersPage(accept: string | undefined): boolean {
  return accept !== undefined && prefers('text/html', accept);
}

function prefers(type: string, accept: string): boolean {
  // Most clients name neither.
  if (!accept.toLowerCase().includes(type)) return false;
  const ranges = accept.split(',').flatMap(parseRange);
  const wanted = qualityOf(ranges, type) ?? 0;
  const json = GRAPHQL_MEDIA_TYPES.map((known) => qualityOf(ranges, known) ?? wildcardOf(ranges));
  return wanted > 0 && json.every((quality) => quality < wanted);
}

interface Range {
  readonly type: string;
  readonly quality: number;
}

function choose(accept: string): GraphqlMediaType | undefined {
  const ranges = accept.split(',').flatMap(parseRange);
  const json = qualityOf(ranges, 'application/json') ?? wildcardOf(ranges);
  // A range that only happens to cover the newer type does not ask for it.
  const graphql = qualityOf(ranges, 'application/graphql-response+json') ?? 0;
  if (graphql > 0 && graphql >= json) return 'application/graphql-response+json';
  return json > 0 ? 'application/json' : undefined;
}

function wildcardOf(ranges: readonly Range[]): number {
  return qualityOf(ranges, 'application/*') ?? qualityOf(ranges, '*/*') ?? 0;
}

function qualityOf(ranges: readonly Range[], type: string): number | undefined {
  return ranges.find((range) => range.type === type)?.quality;
}

function parseRange(text: string): Range[] {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  let quality = 1;
  for (const parameter of parameters) {
    const [name, value = ''] = parameter.split('=');
    if (name === 'q') quality = Number(value) || 0;
    // We only write UTF-8.
    if (name === 'charset' && value.replaceAll('"', '') !== 'utf-8') return [];
  }
  return type === '' ? [] : [{ type, quality }];
}
