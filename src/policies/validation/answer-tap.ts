import { Transform } from 'node:stream';
import { decodeContent, isCoded } from '../../exchange/content-coding.ts';
import { fieldOf } from '../../exchange/field-list.ts';
import { withoutMark } from '../../exchange/json-bytes.ts';
import { Pieces } from '../../exchange/pieces.ts';
import type { ResponseHead } from '../stage.ts';

const JSON_TYPE = /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i;

/**
 * Passes an answer on as it is, and shows its JSON value once all of it has passed, decoded within the bound; undefined for
 * what cannot be looked at: it is no JSON, or larger than the bound.
 */
export function answerTap(
  { headers }: ResponseHead,
  maxBytes: number,
  seen: (value: unknown, length: number) => void,
): Transform | undefined {
  const length = Number(fieldOf(headers, 'content-length') ?? 0);
  const coding = fieldOf(headers, 'content-encoding');
  if (length > maxBytes || !JSON_TYPE.test(fieldOf(headers, 'content-type') ?? '')) return undefined;
  let pieces: Pieces | undefined = new Pieces();
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (pieces !== undefined && pieces.length + chunk.length > maxBytes) pieces = undefined;
      pieces?.push(chunk);
      done(null, chunk);
    },
    flush(done) {
      if (pieces !== undefined && pieces.length > 0) show(pieces.take(), coding, { maxBytes, seen });
      done();
    },
  });
}

interface Shown {
  readonly maxBytes: number;
  readonly seen: (value: unknown, length: number) => void;
}

function show(whole: Buffer, coding: string | undefined, { maxBytes, seen }: Shown): void {
  const look = (text: Buffer): void => seen(valueOf(text), text.length);
  if (!isCoded(coding)) return look(whole);
  // What cannot be decoded, or is larger than the bound then, is not looked at.
  decodeContent(whole, coding, maxBytes, (fault, text) => {
    if (fault === null) look(text);
  });
}

// What is no JSON fits no schema, whose fault is told then.
function valueOf(text: Buffer): unknown {
  try {
    return JSON.parse(withoutMark(text.toString()));
  } catch {
    return undefined;
  }
}
