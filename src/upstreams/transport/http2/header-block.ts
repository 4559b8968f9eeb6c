import type { IncomingHttpHeaders } from 'node:http';
import { huffmanText } from './huffman.ts';

/** The static table (RFC 7541 appendix A), from index 1 on; names and values in turn. */
const STATIC: readonly string[] = [
  ':authority', '', ':method', 'GET', ':method', 'POST', ':path', '/', ':path', '/index.html', ':scheme', 'http',
  ':scheme', 'https', ':status', '200', ':status', '204', ':status', '206', ':status', '304', ':status', '400',
  ':status', '404', ':status', '500', 'accept-charset', '', 'accept-encoding', 'gzip, deflate',
  'accept-language', '', 'accept-ranges', '', 'accept', '', 'access-control-allow-origin', '', 'age', '',
  'allow', '', 'authorization', '', 'cache-control', '', 'content-disposition', '', 'content-encoding', '',
  'content-language', '', 'content-length', '', 'content-location', '', 'content-range', '', 'content-type', '',
  'cookie', '', 'date', '', 'etag', '', 'expect', '', 'expires', '', 'from', '', 'host', '', 'if-match', '',
  'if-modified-since', '', 'if-none-match', '', 'if-range', '', 'if-unmodified-since', '', 'last-modified', '',
  'link', '', 'location', '', 'max-forwards', '', 'proxy-authenticate', '', 'proxy-authorization', '', 'range', '',
  'referer', '', 'refresh', '', 'retry-after', '', 'server', '', 'set-cookie', '', 'strict-transport-security', '',
  'transfer-encoding', '', 'user-agent', '', 'vary', '', 'via', '', 'www-authenticate', '',
]; // prettier-ignore
const STATIC_SIZE = STATIC.length / 2;

/** Blocks that are remembered: a service says the same few things again and again, its date at most once a second. */
const MAX_KNOWN = 64;
const LONGEST_KNOWN = 1024;

/**
 * Reads the header blocks of one connection. We tell the other side to keep no table of fields (its size is 0), so
 * that a block means the same wherever it comes, and one that came before is not read again.
 */
export class HeaderBlocks {
  readonly #known = new Map<string, IncomingHttpHeaders>();

  /**
   * Reads a block: names in lower case, the values of fields that come several times joined by a comma; those of
   * `set-cookie`, which have commas of their own, stay apart (RFC 9110 section 5.3).
   *
   * @throws {Error} when it is malformed, or uses a table after all.
   */
  read(block: Buffer): IncomingHttpHeaders {
    if (block.length > LONGEST_KNOWN) return fieldsOf(block);
    const key = block.toString('latin1');
    let fields = this.#known.get(key);
    if (fields === undefined) {
      fields = fieldsOf(block);
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(key, fields);
    }
    return fields;
  }
}

function fieldsOf(block: Buffer): IncomingHttpHeaders {
  const fields = Object.create(null) as Record<string, string> & { 'set-cookie'?: string[] };
  const reader = new BlockReader(block);
  while (reader.hasMore) {
    const field = reader.field();
    if (field === undefined) continue;
    const [name, value] = field;
    if (name === 'set-cookie') {
      (fields[name] ??= []).push(value);
      continue;
    }
    const before = fields[name];
    fields[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return Object.freeze(fields);
}

/** Reads the representations of RFC 7541 section 6. */
class BlockReader {
  readonly #block: Buffer;
  #at = 0;

  constructor(block: Buffer) {
    this.#block = block;
  }

  get hasMore(): boolean {
    return this.#at < this.#block.length;
  }

  /** The next field; undefined for what is none. */
  field(): readonly [name: string, value: string] | undefined {
    const first = this.#block[this.#at] as number;
    if (first >= 0x80) return pairAt(this.#integer(0x7f));
    if (first >= 0x40) return this.#literal(0x3f);
    if (first < 0x20) return this.#literal(0x0f);
    if (this.#integer(0x1f) > 0) throw new Error('the table of header fields is larger than was allowed');
    return undefined;
  }

  #literal(prefix: number): readonly [string, string] {
    const index = this.#integer(prefix);
    const name = index === 0 ? this.#text() : pairAt(index)[0];
    return [name, this.#text()];
  }

  #text(): string {
    const isCoded = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(0x7f);
    const end = this.#at + length;
    if (end > this.#block.length) throw new Error('a header block ends within a field');
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    return isCoded ? huffmanText(bytes) : bytes.toString('latin1');
  }

  /** RFC 7541 section 5.1; bounded, because nothing here is that large. */
  #integer(prefix: number): number {
    let value = (this.#next() & prefix) as number;
    if (value < prefix) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#next();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Error('a number in a header block is too large');
  }

  #next(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw new Error('a header block ends within a field');
    this.#at += 1;
    return byte;
  }
}

function pairAt(index: number): readonly [string, string] {
  if (index === 0 || index > STATIC_SIZE)
    throw new Error(`a header block refers to a field that is not there: ${index}`);
  return [STATIC[index * 2 - 2] as string, STATIC[index * 2 - 1] as string];
}
