import type { Readable } from 'node:stream';
import { Pieces } from '../../exchange/pieces.ts';
import type { OutboundMessage } from '../transport/http1/carried-call.ts';

/** The largest body that is held until it is whole, in bytes; of a larger one more than this has to be there. */
export const HELD_BYTES = 65_536;

/** A body that a client sends. */
export interface IncomingBody {
  readonly stream: Readable;
  /** What the client says; undefined when it comes in chunks. */
  readonly length: number | undefined;
  /** The fields that came after it, once it has ended. */
  trailers(): readonly string[];
}

/**
 * Waits for a body until it is there as a whole, or until so much of it is there that the rest streams: whoever lets it
 * trickle holds no connection to a target meanwhile. What was not read yet is not read either until somebody does.
 *
 * @param done takes the body; not called when it ends in an error, of which its stream tells.
 */
export function holdBody(body: IncomingBody, done: (body: OutboundMessage['body']) => void): void {
  const { stream } = body;
  const pieces = new Pieces();
  const take = (chunk: Buffer): void => {
    pieces.push(chunk);
    if (pieces.length <= HELD_BYTES) return;
    leave();
    stream.pause();
    done({ first: [pieces.take()], rest: stream, length: body.length, trailers: () => body.trailers() });
  };
  const end = (): void => {
    leave();
    const trailers = body.trailers();
    const whole = pieces.take();
    // Only after chunks may fields follow, and a body that is whole goes without them.
    if (trailers.length === 0) return done(whole);
    done({ first: [whole], rest: stream, length: undefined, trailers: () => trailers });
  };
  const leave = (): void => void stream.off('data', take).off('end', end);
  stream.on('data', take).once('end', end);
}
