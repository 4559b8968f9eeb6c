import { Transform } from 'node:stream';
import { fieldOf } from '../../exchange/field-list.ts';
import { Pieces } from '../../exchange/pieces.ts';
import type { ResponseHead } from '../stage.ts';

const JSON_TYPE = /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i;

/**
 * Passes an answer on as it is, and shows its JSON value once all of it has passed; undefined for what cannot be looked at: it
 * is no JSON, coded, or larger than the bound.
 */
export function answerTap(
  { headers }: ResponseHead,
  maxBytes: number,
  seen: (value: unknown, length: number) => void,
): Transform | undefined {
  const length = Number(fieldOf(headers, 'content-length') ?? 0);
  const isCoded = fieldOf(headers, 'content-encoding') !== undefined;
  if (isCoded || length > maxBytes || !JSON_TYPE.test(fieldOf(headers, 'content-type') ?? ''))
    return undefined;
  let pieces: Pieces | undefined = new Pieces();
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (pieces !== undefined && pieces.length + chunk.length > maxBytes) pieces = undefined;
      pieces?.push(chunk);
      done(null, chunk);
    },
    flush(done) {
      if (pieces !== undefined && pieces.length > 0) {
        const text = pieces.take();
        seen(valueOf(text), text.length);
      }
      done();
    },
  });
}

// What is no JSON fits no schema, whose fault is told then.
function valueOf(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    return undefined;
  }
}
