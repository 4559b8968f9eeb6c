import { withoutBlanks } from '../../../exchange/blanks.ts';
import { MalformedAnswer } from './http1-faults.ts';

/** Fields of all trailers of one answer. */
const MAX_FIELDS = 128;
// Without what none can hold; a field of trailers is read as one of a head.
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/;

/** The fields that come after the body of an answer. */
export class AnswerTrailers {
  /** As names and values. */
  readonly fields: string[] = [];
  readonly #maxBytes: number;
  #bytes = 0;

  /** @param maxBytes of all of them together. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes one, without its line break. @throws {MalformedAnswer} */
  take(line: string): void {
    this.#bytes += line.length;
    if (this.#bytes > this.#maxBytes || this.fields.length >= 2 * MAX_FIELDS)
      throw new MalformedAnswer('its trailers are too large');
    const field = FIELD.exec(line);
    if (field === null) throw new MalformedAnswer('a trailer is ambiguous');
    this.fields.push(field[1] as string, withoutBlanks(field[2] as string));
  }
}
