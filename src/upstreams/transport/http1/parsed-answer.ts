import type { AnswerHead } from './answer-head.ts';
import { MalformedAnswer } from './http1-faults.ts';

/** Who gets what was read. */
export interface ParsedAnswerSink {
  /** Whether it is an answer to HEAD, which has no body whatever its head says (RFC 9112 section 6.3). */
  readonly isHeadOnly?: boolean;
  /** Whether it has asked for another protocol; absent: whoever answers with one has misunderstood. */
  readonly upgrade?: AskedUpgrade | undefined;
  /** Hears an interim answer; another one follows. */
  interim?(head: AnswerHead): void;
  head(head: AnswerHead): void;
  /** Takes a piece of the body; it is only valid until this returns. */
  piece(bytes: Buffer, isLast: boolean): void;
  /** Takes the fields that came after the body, as names and values, right before the last piece; only if there are some. */
  trailers?(fields: readonly string[]): void;
}

/** The protocol that a request wants its connection to go on with (RFC 9110 section 7.8). */
export interface AskedUpgrade {
  /** As `Upgrade` says it, in lower case. */
  readonly protocol: string;
  /** Whether an answer that says success without switching cannot be handed on. */
  readonly isOnlySuccess: boolean;
  /** Looks at a head that switches to it. @throws {MalformedAnswer} when it does not do so in the protocol's own way. */
  check(head: AnswerHead): void;
}

/**
 * Looks at a head that switches to another protocol.
 *
 * @param asked what was asked for, if anything.
 * @throws {MalformedAnswer} when it switches to something else, or is no such head at all.
 */
export function checkSwitch(head: AnswerHead, asked: AskedUpgrade | undefined): void {
  if (asked === undefined || !head.switchesTo(asked.protocol))
    throw new MalformedAnswer('it switches to a protocol that nobody asked for');
  // RFC 9110 section 15.2: it has no body, so that whoever says how long that is means something else.
  if (head.length !== undefined || head.coding !== undefined)
    throw new MalformedAnswer('it switches the protocol, and has a body');
  asked.check(head);
}

/**
 * Looks at a head that switches to nothing.
 *
 * @throws {MalformedAnswer} when whoever has asked would take it for the switch.
 */
export function checkRefusal({ status }: AnswerHead, asked: AskedUpgrade | undefined): void {
  if (asked?.isOnlySuccess === true && status >= 200 && status < 300)
    throw new MalformedAnswer('it says success, and does not switch the protocol');
}
