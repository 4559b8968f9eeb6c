/** Pseudo-header fields of a request, by their index in the static table (RFC 7541 appendix A). */
const METHOD_POST = 0x83;
const SCHEMES = { http: 0x86, https: 0x87 } as const;
const AUTHORITY = 0x01;
const PATH = 0x04;
/** A literal with a name of its own, that nobody keeps: what we send differs with each request. */
const LITERAL = 0;
/** The lengths of a name and a value, and what comes before them. */
const MOST_BETWEEN = 10;

/** Beginnings that are remembered, one for each path: the methods of a service are few. */
const MAX_BEGINNINGS = 1000;

// RFC 9113 section 8.2.1, and narrower where that costs nothing: names are tokens in lower case.
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What the heads of all requests to a target have. */
export interface HeadOptions {
  readonly secure: boolean;
  readonly authority: string;
  /** Names in lower case and values, flat. */
  readonly fields: readonly string[];
}

/** Writes the heads of requests by POST to one target, each a header block (RFC 7541 section 6). */
export class RequestHeads {
  readonly #options: HeadOptions;
  readonly #beginnings = new Map<string, Buffer>();

  constructor(options: HeadOptions) {
    this.#options = options;
  }

  /**
   * Writes a head.
   *
   * @param fields names in lower case and values, flat, besides those that all have.
   * @throws {Error} when a field cannot be sent.
   */
  write(path: string, fields: readonly string[]): Buffer {
    const beginning = this.#beginning(path);
    const head = Buffer.allocUnsafe(beginning.length + largestSize(fields));
    head.set(beginning);
    return head.subarray(0, writeFields(head, beginning.length, fields));
  }

  #beginning(path: string): Buffer {
    let known = this.#beginnings.get(path);
    if (known === undefined) {
      known = this.#begin(path);
      if (this.#beginnings.size >= MAX_BEGINNINGS) this.#beginnings.clear();
      this.#beginnings.set(path, known);
    }
    return known;
  }

  #begin(path: string): Buffer {
    const { secure, authority, fields } = this.#options;
    const head = Buffer.alloc(largestSize([authority, path, ...fields]));
    head.set([METHOD_POST, secure ? SCHEMES.https : SCHEMES.http, AUTHORITY]);
    let at = writeText(head, 3, authority);
    head[at] = PATH;
    at = writeText(head, at + 1, path);
    return head.subarray(0, writeFields(head, at, fields));
  }
}

function largestSize(texts: readonly string[]): number {
  let size = MOST_BETWEEN;
  for (let i = 0; i < texts.length; i += 1) size += (texts[i] as string).length + MOST_BETWEEN / 2;
  return size;
}

/** @returns where the fields end. */
function writeFields(head: Buffer, start: number, fields: readonly string[]): number {
  let at = start;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    if (!NAME.test(name)) throw new Error(`"${name}" is no name of a header field`);
    if (!VALUE.test(value)) throw new Error(`the header field ${name} holds what cannot be sent`);
    head[at] = LITERAL;
    at = writeText(head, at + 1, name);
    at = writeText(head, at, value);
  }
  return at;
}

/** Writes a text with its length before it (RFC 7541 section 5). @returns where it ends. */
function writeText(head: Buffer, start: number, text: string): number {
  const { length } = text;
  let at = start;
  if (length < 0x7f) head[at++] = length;
  else {
    head[at++] = 0x7f;
    let rest = length - 0x7f;
    for (; rest >= 0x80; rest >>= 7) head[at++] = (rest & 0x7f) | 0x80;
    head[at++] = rest;
  }
  head.write(text, at, length, 'latin1');
  return at + length;
}
