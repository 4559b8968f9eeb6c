import type { IncomingMessage } from 'node:http';
import { asUnknown } from '../registry-client.ts';
import { Unknown } from '../discovery-source.ts';
import { jsonWeight } from '../json-weight.ts';
import { Wake } from '../wake.ts';

const MAX_LINE_BYTES = 4 * 1024 * 1024;
/** When so much waits to be taken, no more is read. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/** What came of waiting for a line. */
export type LineEnd = 'line' | 'end' | 'quiet';

/** JSON texts that a body brings line by line, as they come; however they are cut into pieces. */
export class JsonLines {
  readonly #answer: IncomingMessage;
  readonly #lines: Buffer[] = [];
  #heldBytes = 0;
  #weight = 0;
  #rest: Buffer[] = [];
  #restBytes = 0;
  #end: 'open' | 'ended' | Unknown = 'open';
  readonly #wake = new Wake();

  constructor(answer: IncomingMessage) {
    this.#answer = answer;
    answer.on('data', (chunk: Buffer) => this.#take(chunk));
    answer.once('end', () => this.#close('ended'));
    answer.once('error', (error) => this.#close(asUnknown(error)));
    answer.once('close', () => this.#close(new Unknown('the watch was cut')));
  }

  /** Waits until there is a line. @throws {Unknown} when the body broke off or has a line that is too long. */
  async wait(mostMs: number, signal: AbortSignal): Promise<LineEnd> {
    if (this.#lines.length === 0 && this.#end === 'open') await this.#wake.wait(mostMs, signal);
    if (this.#lines.length > 0) return 'line';
    if (this.#end === 'open') return 'quiet';
    if (this.#end === 'ended') return 'end';
    throw this.#end;
  }

  /** What all lines weigh that were taken, see {@link jsonWeight}. */
  get weight(): number {
    return this.#weight;
  }

  /** The lines so far, parsed. @throws {Unknown} when one of them is no JSON. */
  take(): readonly unknown[] {
    this.#heldBytes = 0;
    this.#answer.resume();
    return this.#lines.splice(0).map((line) => {
      this.#weight += jsonWeight(line);
      try {
        return JSON.parse(line.toString('utf8')) as unknown;
      } catch (error) {
        throw new Unknown('the watch brought a line that is no JSON', { cause: error });
      }
    });
  }

  /** Ends it. */
  close(): void {
    this.#close('ended');
    this.#answer.destroy();
  }

  #take(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const line = Buffer.concat([...this.#rest, chunk.subarray(from, end)]);
      this.#rest = [];
      this.#restBytes = 0;
      from = end + 1;
      // Empty ones keep a connection alive, and say nothing.
      if (line.length < 2 && line.toString().trim() === '') continue;
      this.#lines.push(line);
      this.#heldBytes += line.length;
    }
    if (this.#heldBytes > MAX_HELD_BYTES) this.#answer.pause();
    const rest = chunk.subarray(from);
    if (rest.length > 0) this.#rest.push(rest);
    this.#restBytes += rest.length;
    if (this.#restBytes > MAX_LINE_BYTES)
      this.#close(new Unknown('the watch brought a line of more than 4MiB'));
    else if (this.#lines.length > 0) this.#wake.now();
  }

  #close(end: 'ended' | Unknown): void {
    if (this.#end !== 'open') return;
    // What was begun and not ended is lost.
    this.#end = end === 'ended' && this.#restBytes > 0 ? new Unknown('the watch was cut in a line') : end;
    if (end !== 'ended') this.#answer.destroy();
    this.#wake.now();
  }
}
