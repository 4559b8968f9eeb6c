import { LineBuffer } from '../../telemetry/line-buffer.ts';

/** Who asks for reloads. */
export const TRIGGER = 'dev';

const OWN = `"trigger":"${TRIGGER}"`;

/** The gateway's log without what `gatehouse dev` tells itself, in words for people. */
export class DevLines {
  readonly #lines = new LineBuffer({ fd: 1, batchMs: 20 });

  /** @param line an object of JSON. */
  write(line: string): void {
    if (!line.includes(OWN)) this.#lines.write(line);
  }

  /** Calls back once all is out. */
  flush(done: () => void): void {
    this.#lines.flush(done);
  }
}
