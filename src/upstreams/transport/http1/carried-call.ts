import type { Readable } from 'node:stream';
import type { ParsedAnswerSink } from './parsed-answer.ts';
import type { UpgradedSocket } from './upgraded-socket.ts';

/** A body that is not there as a whole. */
export interface StreamedBody {
  /** What has come of it already. */
  readonly first: readonly Buffer[];
  readonly rest: Readable;
  /** Its length in all, in bytes; undefined when nobody knows: it is sent in chunks then (RFC 9112 section 7.1). */
  readonly length: number | undefined;
  /** The fields that come after it, as names and values, once it has ended; they only travel after chunks. */
  trailers(): readonly string[];
}

/** What is sent. */
export interface OutboundMessage {
  /** Request line and header fields, with the empty line. */
  readonly head: string;
  readonly body: Buffer | StreamedBody | null;
  /** Whether it may be sent twice without harm. */
  readonly isIdempotent: boolean;
}

/** How long a service may be silent. */
export interface CallPatience {
  /** From the end of the request to the head of the answer, in ms; interim answers change nothing about it. */
  readonly firstByteMs: number;
  /** While the body of the answer is read, in ms. */
  readonly idleMs: number;
}

/** Who has a call at the moment: a queue or a connection. */
export interface CallCarrier {
  /** Lets go of a call that nobody waits for any more. */
  forget(call: CarriedCall): void;
  /** Reads no more of the answer until {@link resume}. */
  pause?(): void;
  resume?(): void;
}

/** One request, and who hears its answer. What it hears comes from a connection, one call at a time. */
export interface CarriedCall extends ParsedAnswerSink {
  readonly message: OutboundMessage;
  /** Kept by the connection; undefined: who made the call keeps the time. */
  readonly patience?: CallPatience | undefined;
  carrier: CallCarrier | undefined;
  /** Whether it was sent before, over a connection that ended before an answer began. */
  wasSent: boolean;
  /** Whether what is left of the answer is of no interest. */
  readonly isUnwanted: boolean;
  /** Hears that the head or more of the body has come, and that it was not all. */
  progress(): void;
  /** Takes the connection, which has switched to the protocol that was asked for, and is nobody else's from now on. */
  switched?(socket: UpgradedSocket): void;
  /** Hears that there will be no answer, or no complete one. */
  broke(error: Error): void;
}

/** Whether a body is sent while it comes. */
export function isStreamed(body: OutboundMessage['body']): body is StreamedBody {
  return body !== null && !Buffer.isBuffer(body);
}
