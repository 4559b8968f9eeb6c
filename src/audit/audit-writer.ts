import { PlainFault } from '../telemetry/error-facts.ts';
import type { AuditOutput } from './audit-output.ts';

const BATCH_MS = 20;
const RETRY_MS = 500;
const BUSY_RETRY_MS = 10;
const LARGEST_BATCH = 1000;

/** What a writer is told and tells. */
export interface AuditWriterOptions {
  /** What may wait, in bytes. */
  readonly maxBytes: number;
  /** Hears when lines cannot be written, with why, and when they can again. */
  readonly changed: (error: unknown) => void;
  /** Hears how many lines were lost, once others can be written again. */
  readonly lost: (count: number) => void;
  /** Hears of each line that is lost. */
  readonly dropped: () => void;
}

/**
 * Writes lines in their order, in batches and off the event loop. What cannot be written waits and is tried again, as long as
 * there is room for it; what there is no room for is lost, and counted.
 */
export class AuditWriter {
  readonly #output: AuditOutput;
  readonly #options: AuditWriterOptions;
  #lines: Buffer[] = [];
  #waitingBytes = 0;
  #batch: Buffer | undefined = undefined;
  #lost = 0;
  #isFailing = false;
  #timer: NodeJS.Timeout | undefined = undefined;
  #running: Promise<void> | undefined = undefined;
  #isClosed = false;
  readonly #atExit = (): void => this.#writeRest();

  constructor(output: AuditOutput, options: AuditWriterOptions) {
    this.#output = output;
    this.#options = options;
    process.once('exit', this.#atExit);
    // What cannot be written at all is known before the first event.
    this.#later(0);
  }

  /** Whether the last attempt has failed, or lines are being lost. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Takes a line with its line break. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#waitingBytes + bytes.length > this.#options.maxBytes) {
      this.#lost += 1;
      this.#options.dropped();
      return this.#failed(new PlainFault('the buffer is full'));
    }
    this.#lines.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#later(BATCH_MS);
  }

  /** Goes by the file that is at its place now. */
  reopen(): void {
    this.#output.reopen();
    this.#later(0);
  }

  /** Writes what waits, for as long as it may take. */
  async close(withinMs: number): Promise<void> {
    const until = performance.now() + withinMs;
    do {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      await this.#run();
      if (this.#waitingBytes > 0) await new Promise((resolve) => setTimeout(resolve, BUSY_RETRY_MS));
    } while (this.#waitingBytes > 0 && performance.now() < until);
    this.#isClosed = true;
    clearTimeout(this.#timer);
    process.off('exit', this.#atExit);
    await this.#output.close();
  }

  #later(ms: number): void {
    if (this.#isClosed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#run();
    }, ms).unref();
  }

  #run(): Promise<void> {
    this.#running ??= this.#writeAll().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #writeAll(): Promise<void> {
    try {
      await this.#output.prepare();
      while (this.#waitingBytes > 0) await this.#writeBatch();
      this.#recovered();
    } catch (error) {
      // A reader that is slow is no fault, until there is no room any more.
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return this.#later(BUSY_RETRY_MS);
      this.#failed(error);
      this.#later(RETRY_MS);
    }
  }

  async #writeBatch(): Promise<void> {
    this.#batch ??= Buffer.concat(this.#lines.splice(0, LARGEST_BATCH));
    const written = await this.#output.write(this.#batch);
    if (written === 0) throw new PlainFault('nothing could be written');
    this.#waitingBytes -= written;
    this.#batch = written < this.#batch.length ? this.#batch.subarray(written) : undefined;
  }

  #failed(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#options.changed(error);
  }

  #recovered(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    const lost = this.#lost;
    this.#lost = 0;
    this.#options.changed(undefined);
    if (lost > 0) this.#options.lost(lost);
  }

  // The batch that is under way is in the hands of the system already.
  #writeRest(): void {
    if (this.#batch !== undefined && this.#running === undefined) this.#lines.unshift(this.#batch);
    try {
      for (let rest = Buffer.concat(this.#lines); rest.length > 0;)
        rest = rest.subarray(this.#output.writeSync(rest));
    } catch {
      // There is no place left to complain to.
    }
  }
}
