/** How a stream of messages is written as the body of an answer. */
export interface StreamFormat {
  readonly contentType: string;
  /** Header fields besides the content type: flat list. */
  readonly headers: readonly string[];
  readonly open: string;
  /** Writes one message. */
  item(json: string, index: number): string;
  readonly close: string;
  /** Writes why the stream breaks off; undefined: the connection is cut, which every client notices. */
  readonly problem: ((json: string) => string) | undefined;
}

const NDJSON: StreamFormat = {
  contentType: 'application/x-ndjson',
  headers: [],
  open: '',
  item: (json) => `${json}\n`,
  close: '',
  problem: undefined,
};

const JSON_ARRAY: StreamFormat = {
  contentType: 'application/json',
  headers: [],
  open: '[',
  item: (json, index) => (index === 0 ? json : `,${json}`),
  close: ']',
  problem: undefined,
};

const SSE: StreamFormat = {
  contentType: 'text/event-stream',
  headers: ['cache-control', 'no-cache', 'x-accel-buffering', 'no'],
  open: ': open\n\n',
  item: (json) => `data: ${json}\n\n`,
  close: '',
  problem: (json) => `event: problem\ndata: ${json}\n\n`,
};

const FORMATS: readonly (readonly [mediaType: string, format: StreamFormat])[] = [
  ['application/json', JSON_ARRAY],
  ['application/x-ndjson', NDJSON],
  ['application/ndjson', NDJSON],
  ['application/jsonl', NDJSON],
  ['text/event-stream', SSE],
];

/**
 * Chooses the format by `Accept` (RFC 9110 section 12.5.1): the one with the highest weight, in doubt the one
 * that is named first. A JSON array when nothing is named that can be had, because every client reads it.
 */
export function streamFormat(accept: string | undefined): StreamFormat {
  if (accept === undefined) return JSON_ARRAY;
  let best = JSON_ARRAY;
  let weight = 0;
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const quality = Number(parameters.find((one) => one.startsWith('q='))?.slice(2) ?? 1);
    const format = FORMATS.find(([mediaType]) => matches(type, mediaType))?.[1];
    if (format === undefined || !(quality > weight)) continue;
    best = format;
    weight = quality;
  }
  return best;
}

function matches(range: string, mediaType: string): boolean {
  if (range === '*/*' || range === mediaType) return true;
  return range.endsWith('/*') && mediaType.startsWith(range.slice(0, -1));
}
