import { Readable } from 'node:stream';
import { comesInLines } from '../exchange/line-type.ts';
import { decodingStream, isCoded } from '../exchange/content-coding.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Pieces } from '../exchange/pieces.ts';
import { Problem } from '../problems/problem.ts';

const JSON_TYPE = /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i;

/**
 * The body of a request, its content coding undone.
 *
 * @throws {Problem} `media-type-unsupported` for a coding that is not known.
 */
export function decodedBody({ request, heldBody }: Exchange): Readable {
  // What was held to be checked is as it came; in shadow it may be coded.
  const body = heldBody === undefined ? request : Readable.from(heldBody.length > 0 ? [heldBody] : []);
  const coding = request.headers['content-encoding'];
  if (!isCoded(coding)) return body;
  const decoder = decodingStream(coding);
  if (decoder === undefined) throw new Problem('media-type-unsupported');
  body.once('error', (error) => decoder.destroy(error));
  return body.pipe(decoder);
}

/**
 * Checks the media type of a body. One that does not say what it is counts as JSON.
 *
 * @throws {Problem} `media-type-unsupported`.
 */
export function checkMediaType({ request }: Exchange, kind: 'json' | 'lines'): void {
  const type = request.headers['content-type'];
  const isWanted = kind === 'lines' ? comesInLines(type) : type === undefined || JSON_TYPE.test(type);
  if (!isWanted) {
    throw new Problem('media-type-unsupported', {
      detail: `Send ${kind === 'json' ? 'application/json' : 'application/x-ndjson, one message per line'}.`,
    });
  }
}

/** Reads a whole body. @throws {Problem} `body-too-large`, or `request-invalid` when its coding is broken. */
export function readBody(exchange: Exchange, maxBytes: number): Promise<Buffer> {
  const body = decodedBody(exchange);
  return new Promise((resolve, reject) => {
    const pieces = new Pieces();
    const refuse = (problem: Problem): void => {
      body.removeAllListeners('data');
      // One that nobody hears would go on, and a few bytes can stand for gigabytes.
      if (body !== exchange.request) body.destroy();
      exchange.offCancel(refuse);
      reject(problem);
    };
    exchange.onCancel(refuse);
    body.on('data', (chunk: Buffer) => {
      if (pieces.length + chunk.length > maxBytes) refuse(new Problem('body-too-large'));
      else pieces.push(chunk);
    });
    body.once('error', (error) => refuse(new Problem('request-invalid', { cause: error })));
    body.once('end', () => {
      exchange.offCancel(refuse);
      resolve(pieces.take());
    });
    // Who has looked at its beginning, or looks at it as it passes, has paused it.
    if (body.isPaused()) body.resume();
  });
}
