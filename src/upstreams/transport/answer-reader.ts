import type { IncomingHttpHeaders } from 'node:http';

/** Who gets the answer of one attempt; hears one of the last three, once. */
export interface AnswerReader {
  /** Takes the head. @returns false when what follows is of no interest: the rest of the answer is not read. */
  head(status: number, headers: IncomingHttpHeaders): boolean;
  /** Hears that the answer goes on, after its head. */
  more?(): void;
  /** Takes the end, of an answer whose head was of interest; the body is only valid until this returns. */
  ended(body: Buffer, trailers: IncomingHttpHeaders): void;
  /** Hears that the answer is larger than it may be. */
  oversized(): void;
  /** Hears that the connection failed, before the answer or within it. */
  broke(error: Error): void;
}
