import type { IncomingHttpHeaders } from 'node:http';
import { withoutBlanks } from '../../../exchange/blanks.ts';
import { MalformedAnswer } from './http1-faults.ts';

// Values outside of 100 to 599 are invalid (RFC 9110 section 15).
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$|\r)/;
// What a head may not hold: a line that ends with one of both, or begins with anything but a name and its colon (so that none
// goes on in the next one, RFC 9112 sections 2.2 and 5.2), and what is no character of a value (RFC 9110 section 5.5).
const WRONG = /\r(?!\n)|(?<!\r)\n|\r\n(?![!#$%&'*+\-.^_`|~0-9A-Za-z]+:)|[^\t\r\n\x20-\x7e\x80-\xff]/;
/** What frames the message, what concerns its connection only, and what is ours to say: all that is looked at. */
const SPECIAL =
  /\r\n(connection|content-length|date|http2-settings|keep-alive|proxy-authenticate|proxy-authorization|proxy-connection|te|trailer|transfer-encoding|upgrade|x-request-id):/gi;
const KEEP_FOR = /(?:^|[,\s])timeout=(\d{1,6})/i;
const LINE_END = '\r\n';
const SWITCHING = 101;
const NO_CONTENT = 204;
/** What no `Connection` may list (RFC 9110 section 7.6.1): without its length, nobody knew where an answer ends. */
const FOR_EVERYBODY = ['content-length', 'date'];

/**
 * The head of an answer, read as far as anybody asks. Its fields stay one text for as long as nobody needs them one by one:
 * names keep their spelling, fields of one name their lines, and all of them their order.
 */
export class AnswerHead {
  readonly status: number;
  /** Whether it is of HTTP/1.1, and not of 1.0. */
  readonly isCurrent: boolean;
  /** Its `Content-Length`, as it was written; several are joined by commas. */
  readonly length: string | undefined = undefined;
  /** Its `Transfer-Encoding`, in lower case. */
  readonly coding: string | undefined = undefined;
  /** The names of fields that come after the body, as it lists them. */
  readonly trailer: string | undefined = undefined;
  /** Whether it says when it was made. */
  readonly hasDate: boolean = false;
  readonly #text: string;
  readonly #fieldsAt: number;
  /** Its `Upgrade`, in lower case. */
  readonly #upgrade: string | undefined = undefined;
  readonly #connection: string | undefined = undefined;
  readonly #keepAlive: string | undefined = undefined;
  /** Where lines begin and end that do not travel on; with the line break before them. */
  #cuts: number[] = [];
  #lengthAt = -1;

  /**
   * @param text the head without the line breaks at its end.
   * @throws {MalformedAnswer}
   */
  constructor(text: string) {
    const line = STATUS_LINE.exec(text);
    if (line === null) throw new MalformedAnswer('it is no HTTP/1.1');
    if (WRONG.test(text)) throw new MalformedAnswer('a line of its head is ambiguous');
    this.#text = text;
    this.status = Number(line[2]);
    this.isCurrent = line[1] === '1';
    const end = text.indexOf(LINE_END);
    this.#fieldsAt = end < 0 ? text.length : end;
    SPECIAL.lastIndex = this.#fieldsAt;
    for (let found = SPECIAL.exec(text); found !== null; found = SPECIAL.exec(text)) {
      const name = found[1] as string;
      const next = text.indexOf(LINE_END, SPECIAL.lastIndex);
      const stop = next < 0 ? text.length : next;
      const value = withoutBlanks(text.slice(SPECIAL.lastIndex, stop));
      SPECIAL.lastIndex = stop;
      // Most of them can be told by their lengths.
      switch (name.length) {
        case 4:
          this.hasDate = true;
          continue;
        case 14:
          if (name[0] !== 'c' && name[0] !== 'C') break;
          this.length = joined(this.length, value);
          this.#lengthAt = found.index;
          continue;
        case 7:
          if (name[0] === 't' || name[0] === 'T') this.trailer = joined(this.trailer, value);
          else this.#upgrade = joined(this.#upgrade, value.toLowerCase());
          break;
        case 17:
          if (name[0] === 't' || name[0] === 'T') this.coding = joined(this.coding, value.toLowerCase());
          break;
        case 10:
          if (name[0] === 'k' || name[0] === 'K') this.#keepAlive = joined(this.#keepAlive, value);
          else this.#connection = joined(this.#connection, value.toLowerCase());
      }
      this.#cut(found.index, stop);
    }
    if (this.#connection !== undefined) this.#cutListed(this.#connection);
  }

  /** All fields, by their names in lower case; those of one name are joined. */
  get headers(): IncomingHttpHeaders {
    const headers: Record<string, string> = {};
    eachField(this.#text, this.#fieldsAt, (name, value) => {
      const key = name.toLowerCase();
      const before = headers[key];
      headers[key] = typeof before === 'string' ? `${before}, ${value}` : value;
    });
    return headers;
  }

  /** How long its connection may be idle, in ms; 0: it ends (RFC 9112 section 9.3). Undefined: nothing is said. */
  get keepForMs(): number | undefined {
    const said = this.#connection;
    if (said?.includes('close') === true || (!this.isCurrent && said !== 'keep-alive')) return 0;
    const patience = this.#keepAlive === undefined ? null : KEEP_FOR.exec(this.#keepAlive);
    return patience === null ? undefined : Number(patience[1]) * 1000;
  }

  /** Whether it switches to a protocol, and to nothing else (RFC 9110 section 7.8). @param protocol in lower case. */
  switchesTo(protocol: string): boolean {
    const listed = this.#connection?.split(',').some((name) => name.trim() === 'upgrade') === true;
    return this.status === SWITCHING && this.isCurrent && listed && this.#upgrade === protocol;
  }

  /** The fields that travel on, as names and values. */
  fields(): string[] {
    const out: string[] = [];
    eachField(this.lines(), 0, (name, value) => void out.push(name, value));
    return out;
  }

  /**
   * The same as a text, with a line break before each line and none at the end.
   *
   * @param withLength whether its length is among them.
   */
  lines(withLength = true): string {
    const text = this.#text;
    // RFC 9110 section 8.6: what has no body may not say how long it is.
    const skipsLength = this.#lengthAt >= 0 && (!withLength || this.status === NO_CONTENT);
    const cuts = skipsLength
      ? inOrder([...this.#cuts, this.#lengthAt, lineEnd(text, this.#lengthAt + 2)])
      : this.#cuts;
    if (cuts.length === 0) return text.slice(this.#fieldsAt);
    let out = '';
    let at = this.#fieldsAt;
    for (let i = 0; i < cuts.length; i += 2) {
      const start = cuts[i] as number;
      if (start > at) out += text.slice(at, start);
      at = Math.max(at, cuts[i + 1] as number);
    }
    return at < text.length ? out + text.slice(at) : out;
  }

  #cut(start: number, end: number): void {
    this.#cuts.push(start, end);
  }

  #cutListed(connection: string): void {
    if (connection === 'keep-alive' || connection === 'close') return;
    const listed = new Set(connection.split(',').map((name) => name.trim()));
    for (const name of FOR_EVERYBODY) listed.delete(name);
    const text = this.#text;
    for (let at = this.#fieldsAt; at < text.length; at = lineEnd(text, at + 2)) {
      const name = text.slice(at + 2, text.indexOf(':', at)).toLowerCase();
      if (listed.has(name)) this.#cut(at, lineEnd(text, at + 2));
    }
    this.#cuts = inOrder(this.#cuts);
  }
}

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}

function lineEnd(text: string, from: number): number {
  const next = text.indexOf(LINE_END, from);
  return next < 0 ? text.length : next;
}

function inOrder(cuts: readonly number[]): number[] {
  const pairs: [number, number][] = [];
  for (let i = 0; i < cuts.length; i += 2) pairs.push([cuts[i] as number, cuts[i + 1] as number]);
  return pairs.sort(([a], [b]) => a - b).flat();
}

/** Reads lines, each with a line break before it. */
function eachField(text: string, start: number, take: (name: string, value: string) => void): void {
  for (let at = start; at < text.length;) {
    const end = lineEnd(text, at + 2);
    const colon = text.indexOf(':', at);
    take(text.slice(at + 2, colon), withoutBlanks(text.slice(colon + 1, end)));
    at = end;
  }
}
