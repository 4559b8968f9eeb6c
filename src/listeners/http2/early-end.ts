import { constants, type ServerHttp2Stream } from 'node:http2';

/** How much of a request is still read after its answer, in bytes: what a client has sent before it could know. */
export const LINGER_BYTES = 64 * 1024;
/** Of what is read after all, by others. */
const MOST_BYTES = 2 * LINGER_BYTES;
/** How long a client has to take an answer that it did not wait for, in ms. */
export const LINGER_MS = 1000;

/**
 * Ends a stream that was answered before the end of its request (RFC 9113 section 8.1), but not at once: clients that hear of
 * the end while they are sending take it for a fault and drop the answer, curl up to 8.1 among them. The stream ends with the
 * request, if that ends in time and is small; else with `NO_ERROR` when the time is over.
 *
 * @param stream whose answer is complete, and which is read, or waits for a reader.
 */
export function endAfterAnswer(stream: ServerHttp2Stream): void {
  let bytes = 0;
  const end = (): void => {
    stream.close(constants.NGHTTP2_NO_ERROR);
  };
  const timer = setTimeout(end, LINGER_MS);
  stream.once('close', () => clearTimeout(timer));
  // A stream that ends by the last frame of its client wakes nobody there, and curl would wait for a frame for good.
  const { session } = stream;
  stream.once('end', () => void (session?.destroyed === false && session.ping(heedless)));
  // Who holds the stream back, such as a service that takes nothing, is not overrun: it is over when the time is.
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    // Not ended at once: a client that hears of the end along with the answer may drop the answer, grpc-js among them.
    if (bytes > LINGER_BYTES) stream.pause();
    // Somebody goes on reading.
    if (bytes > MOST_BYTES) end();
  });
}

// Which connection answers, and when, does not matter.
function heedless(): void {}
