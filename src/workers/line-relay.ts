import type { Readable } from 'node:stream';
import type { LineBuffer } from '../telemetry/line-buffer.ts';

const LINE_BREAK = 0x0a;
/** What may wait to be written before nothing more is read: whoever wrote it waits then, or drops lines and says so. */
const MOST_WAITING_BYTES = 1024 * 1024;
/** Longer ones are no lines. */
const LONGEST_LINE_BYTES = 16 * 1024 * 1024;

/**
 * Passes the lines of another process on, whole: several processes that write to one pipe tear each other's lines apart as
 * soon as its reader is slow. What it says last is passed on without a line break too. Resolves at the end of the stream.
 */
export function relayLines(from: Readable, to: LineBuffer): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  from.on('data', (chunk: Buffer) => {
    const end = chunk.lastIndexOf(LINE_BREAK) + 1;
    if (end === 0 && rest.length < LONGEST_LINE_BYTES) rest = Buffer.concat([rest, chunk]);
    else {
      const lines = chunk.subarray(0, end);
      to.pass(rest.length === 0 ? lines : Buffer.concat([rest, lines]));
      rest = Buffer.from(chunk.subarray(end));
    }
    if (to.waitingBytes < MOST_WAITING_BYTES) return;
    from.pause();
    to.flush(() => from.resume());
  });
  return new Promise((resolve) => {
    from.once('close', () => {
      if (rest.length > 0) to.pass(Buffer.concat([rest, Buffer.from('\n')]));
      resolve();
    });
  });
}
