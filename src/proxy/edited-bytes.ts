import type { Duplex } from 'node:stream';
import { answerStreamOf } from '../exchange/answer-stream.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { ResponseHead } from '../policies/stage.ts';

/** What edits the bytes of an answer, and writes them to the client from then on; undefined for what goes out as it is. */
export function editedBytes(exchange: Exchange, head: ResponseHead): Duplex | undefined {
  const stream = answerStreamOf(exchange, head);
  if (stream === undefined) return undefined;
  if (exchange.method !== 'HEAD') {
    writeEdited(exchange, stream);
    return stream;
  }
  // The head tells what a GET would be answered with.
  stream.destroy();
  return undefined;
}

/** Writes what a stage makes of an answer's bytes to the client, and ends it; who is slow is waited for. */
function writeEdited(exchange: Exchange, stream: Duplex): void {
  const { response } = exchange;
  stream.on('data', (piece: Buffer) => {
    exchange.bytesOut += piece.length;
    // Whoever has left is not waited for.
    if (response.destroyed || response.write(piece)) return;
    stream.pause();
    response.once('drain', () => stream.resume());
  });
  stream.once('end', () => response.end());
}
