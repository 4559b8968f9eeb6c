import { Transform, type Readable, type TransformCallback } from 'node:stream';
import { Problem } from '../../problems/problem.ts';

/** Counts a body that does not declare its length while it streams, and breaks it off over the limit. */
export function countingBody(
  body: Readable,
  maxBytes: number,
  onExceeded: (problem: Problem) => void,
): Readable {
  let seen = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      seen += chunk.length;
      if (seen <= maxBytes) return done(null, chunk);
      const problem = new Problem('body-too-large');
      onExceeded(problem);
      done(problem);
    },
  });
  body.on('error', (error) => counter.destroy(error));
  return body.pipe(counter);
}
