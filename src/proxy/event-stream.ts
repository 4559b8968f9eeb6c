/** Two ends of a line after each other end an event (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream). */
const LINE_END = '(?:\\r\\n|\\n|\\r(?!\\n))';
const ENDS = new RegExp(LINE_END + LINE_END, 'g');
const ENDS_HERE = new RegExp(`${LINE_END}${LINE_END}$`);
/** As many bytes as two ends of a line may have. */
const LONGEST_END = 4;

/** Where events go. */
export interface EventAnswer {
  /** Sends bytes; false where the client has to take some first. */
  send(bytes: Buffer): boolean;
  /** Ends the answer; called once, between two events. */
  end(): void;
}

/**
 * One stream of events on its way to a client, which can be made to end between two of them: its client comes back by itself
 * then, with the last event that it has seen as `Last-Event-ID`.
 */
export class EventStream {
  readonly #answer: EventAnswer;
  #tail = '';
  #isBetween = true;
  #isLeaving = false;

  constructor(answer: EventAnswer) {
    this.#answer = answer;
  }

  /** Has it end between two events. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    if (this.#isBetween) this.#answer.end();
  }

  /** Takes a piece of the stream, and sends what goes out of it. @returns false where the client has to take some first. */
  take(piece: Buffer): boolean {
    const end = this.#isLeaving ? this.#lastEnd(piece) : undefined;
    if (end === undefined) {
      this.#note(piece);
      return this.#answer.send(piece);
    }
    this.#answer.send(piece.subarray(0, end));
    this.#answer.end();
    return true;
  }

  #note(piece: Buffer): void {
    if (piece.length === 0) return;
    const last = piece.toString('latin1', Math.max(0, piece.length - LONGEST_END));
    this.#tail = (this.#tail + last).slice(-LONGEST_END);
    this.#isBetween = ENDS_HERE.test(this.#tail);
  }

  /** Where in a piece the last event ends that is whole; what has come of the next one is left out, and comes again. */
  #lastEnd(piece: Buffer): number | undefined {
    let end: number | undefined;
    for (const match of (this.#tail + piece.toString('latin1')).matchAll(ENDS))
      end = match.index + match[0].length - this.#tail.length;
    return end !== undefined && end > 0 ? end : undefined;
  }
}
