import type { ForwardedHead } from '../exchange/answer-sink.ts';
import { isComposable, writeComposed } from '../exchange/composed-answer.ts';
import type { Answer, Exchange } from '../exchange/exchange.ts';
import type { ResponseHead } from '../policies/stage.ts';
import type { Route } from '../routing/route.ts';

const EARLY_HINTS = 103;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Statuses that have no body, and whose length nobody may make up (RFC 9110 section 8.6). */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/** An answer that came as a whole. */
export interface ForwardedAnswer {
  readonly head: Pick<ForwardedHead, 'status' | 'length' | 'hasDate' | 'lines'>;
  readonly body: Buffer;
  /** Whether the body is ours to keep. */
  readonly isKept: boolean;
}

/**
 * Writes a forwarded answer in one go, with the lines of its head as they came, where no stage of the route wants to look
 * at it.
 *
 * @returns false when it has to go the long way; nothing was done then.
 */
export function writeForwarded(exchange: Exchange, route: Route, answer: ForwardedAnswer): boolean {
  const { head, body, isKept } = answer;
  const { recording, response } = exchange;
  if (recording !== undefined || route.heads.answers.length > 0 || route.leaving.length > 0) return false;
  if (BODILESS.has(head.status) || !isComposable(response)) return false;
  // What came in chunks goes out in one piece, whose length is known by now.
  const length = head.length === undefined ? `\r\nContent-Length: ${body.length}` : '';
  const lines = head.lines() + length + ownLines(exchange, head.status);
  writeComposed(response, { status: head.status, lines, hasDate: head.hasDate, body, isKept });
  exchange.bytesOut += body.length;
  return true;
}

/** Writes an answer whose lines are ready, like {@link writeForwarded}. @returns false where nothing was written. */
export function writeStored(exchange: Exchange, route: Route, { status, lines, body }: Answer): boolean {
  if (lines === undefined) return false;
  const head = { status, length: '', hasDate: true, lines: () => lines };
  return writeForwarded(exchange, route, { head, body, isKept: true });
}

/** The lines that are ours to say. */
function ownLines(exchange: Exchange, status: number): string {
  const own: ResponseHead = { status, headers: [] };
  exchange.finishHead(own, 'answer');
  let lines = '';
  for (let i = 0; i < own.headers.length; i += 2) {
    const value = own.headers[i + 1] as string;
    // Nothing but a line break could end a line; `node:http` would refuse the rest as well.
    if (!VALUE.test(value))
      throw new TypeError(`the header field ${own.headers[i]} holds what cannot be sent`);
    lines += `\r\n${own.headers[i]}: ${value}`;
  }
  return lines;
}

/** Passes on what a page will need (RFC 8297); nothing else of an interim answer means anything before the final one. */
export function writeEarlyHints({ request, response }: Exchange, head: ForwardedHead): void {
  if (head.status !== EARLY_HINTS || request.httpVersion === '1.0' || response.headersSent) return;
  const fields = head.fields();
  const links = fields.filter((_, at) => at % 2 === 1 && fields[at - 1]?.toLowerCase() === 'link');
  try {
    if (links.length > 0) response.writeEarlyHints({ link: links });
  } catch {
    // A link that node does not take is no loss: they are hints.
  }
}
