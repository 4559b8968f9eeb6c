import { compose, pipeline, Readable, type Duplex } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { ResponseHead } from '../policies/stage.ts';
import { cutAnswer } from '../problems/cut-answer.ts';
import type { Exchange } from './exchange.ts';

/**
 * What edits the bytes of an answer of the route; undefined where no stage wants to. The head, which is finished already, is
 * edited for it. Whoever takes it sees to it that it is destroyed when the response ends.
 */
export function answerStreamOf(exchange: Exchange, head: ResponseHead): Duplex | undefined {
  // Nobody is left to take it, nor to have it destroyed in the end.
  if (exchange.response.destroyed && exchange.keeper === undefined) return undefined;
  let whole: Duplex | undefined = undefined;
  for (const stage of exchange.route?.streams ?? []) {
    const stream = stage.stream?.(exchange, head);
    if (stream !== undefined) whole = whole === undefined ? stream : compose(whole, stream);
  }
  return whole && minded(exchange, whole);
}

// Also when the client leaves: what it has taken of memory goes with it.
function minded(exchange: Exchange, stream: Duplex): Duplex {
  const { response } = exchange;
  response.once('close', () => {
    // What is kept of it for a client that comes back is worth the rest, which nobody takes.
    if (exchange.keeper?.isAlone === true) stream.resume();
    else stream.destroy();
  });
  // What it cannot go on with ends the answer: it cannot be taken back.
  stream.once('error', () => cutAnswer(exchange.request, response));
  return stream;
}

/** What an answer of a handler becomes by a stream that edits bytes: its bytes count as they leave. */
export function editedPayload(exchange: Exchange, payload: unknown, stream: Duplex): unknown {
  const isWhole = typeof payload === 'string' || payload instanceof Uint8Array;
  // The head tells what a GET would be answered with; Fastify tells the length of what it is given.
  if (exchange.method === 'HEAD') {
    stream.destroy();
    return isWhole ? Readable.from([]) : payload;
  }
  exchange.bytesOut = 0;
  const push = stream.push.bind(stream);
  stream.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    exchange.bytesOut += chunk?.length ?? 0;
    return push(chunk, encoding);
  };
  if (isWhole) stream.end(payload);
  else pipeline(payload instanceof Readable ? payload : readableOf(payload), stream, () => undefined);
  return stream;
}

function readableOf(payload: unknown): Readable {
  return typeof payload === 'object' && payload !== null && 'getReader' in payload
    ? Readable.fromWeb(payload as ReadableStream)
    : Readable.from(payload as AsyncIterable<unknown>);
}
