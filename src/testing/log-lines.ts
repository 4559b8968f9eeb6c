import { Writable } from 'node:stream';

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

const MOST_LINES = 10_000;

/** What a gateway has logged; of very much the last lines. */
export class LogLines extends Writable {
  readonly lines: LogLine[] = [];
  readonly #most: number;

  /** @param most how many lines are kept. Default 10 000. */
  constructor(most = MOST_LINES) {
    super();
    this.#most = most;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    for (const line of chunk.toString().split('\n'))
      if (line !== '') this.lines.push(JSON.parse(line) as LogLine);
    if (this.lines.length > this.#most) this.lines.splice(0, this.lines.length - this.#most);
    done();
  }
}
