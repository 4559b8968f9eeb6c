import type { Duplex } from 'node:stream';
import type { Exchange } from '../exchange/exchange.ts';

/** Writes what a stream makes of an answer's bytes to the client, and ends it; who is slow is waited for. */
export function writeEdited(exchange: Exchange, stream: Duplex): void {
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
