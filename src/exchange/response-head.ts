import type { ResponseHead, Stage } from '../policies/stage.ts';
import { checkHead, REQUEST_ID } from './checked-head.ts';
import type { Exchange } from './exchange.ts';
import { headSeatsOf } from './head-stages.ts';

/**
 * Whose head it is: an `answer` of the route, whatever its status and whoever made it; a `problem` of ours; the
 * `handshake` (101) that turns a connection into a socket; or a `switch`, a handshake that is an answer of the route.
 */
export type HeadKind = 'answer' | 'problem' | 'handshake' | 'switch';

/** A request that the parser refused: there is no exchange of it, and so no route and nothing that stages added. */
export interface Unopened {
  readonly id: string;
  readonly responseHeaders: readonly string[];
  readonly route?: undefined;
  readonly snapshot?: undefined;
}

/** What stages and handlers say of the answer that they have in mind; a problem that is sent in its place is another. */
const OF_AN_ANSWER = new Set('cache-control cache-status etag last-modified via'.split(' '));

/**
 * Finishes a head in place, whoever writes it: the fields that stages added come first, then the stages of the way out
 * edit all of it, and the request id is ours in any case. What becomes of the connection is for `node:http` to say, by
 * `shouldKeepAlive` of the response. To be called once for each head, right before it is written.
 *
 * @throws what a stage throws, or that it made something of the head that cannot be sent; nothing is written then. Never
 * for a problem: there is nothing left to send in its place, so it goes out without the edit, and the fault is logged.
 */
export function finishHead(of: Exchange | Unopened, head: ResponseHead, kind: HeadKind): void {
  const { responseHeaders } = of;
  if (kind === 'answer') (of as Exchange).answerHead = head;
  for (let i = 0; i < responseHeaders.length; i += 2) {
    const name = responseHeaders[i] as string;
    if (kind === 'problem' && OF_AN_ANSWER.has(name)) continue;
    head.headers.push(name, responseHeaders[i + 1] as string);
  }
  const heads = headSeatsOf(of);
  if (heads !== undefined) {
    const stages = kind === 'answer' || kind === 'switch' ? heads.answers : heads.all;
    if (stages.length > 0) edit(of as Exchange, head, stages, kind);
  }
  head.headers.push(REQUEST_ID, of.id);
}

function edit(exchange: Exchange, head: ResponseHead, stages: readonly Stage[], kind: HeadKind): void {
  if (kind === 'problem') return editProblem(exchange, head, stages);
  for (const stage of stages) stage.head?.(exchange, head);
  checkHead(head, kind);
}

function editProblem(exchange: Exchange, head: ResponseHead, stages: readonly Stage[]): void {
  for (const stage of stages) {
    const { status, headers } = head;
    head.headers = [...headers];
    try {
      stage.head?.(exchange, head);
      checkHead(head, 'problem');
    } catch (error) {
      // The refusal holds, and the field fails open: an answer in its place would lack it as well.
      head.status = status;
      head.headers = headers;
      exchange.headFault ??= error;
    }
  }
}
