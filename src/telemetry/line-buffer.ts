import { write, writeSync } from 'node:fs';

/** Turns of several processes that write to one output: each waits for its own. */
export interface LineTurns {
  /** Calls back once it is time to write. */
  take(granted: () => void): void;
  /** A batch is out. */
  end(): void;
}

/** How lines are batched. */
export interface LineBufferOptions {
  /** File descriptor; 1 is standard output. */
  readonly fd: number;
  /** A batch is written when it has this size. Default 128 KiB: each write costs a trip to another thread. */
  readonly batchBytes?: number;
  /** … or after this time, in ms. Default 250. */
  readonly batchMs?: number;
  /** What may wait for a reader that is slow, in bytes; later lines are dropped and counted. Default 64 MiB. */
  readonly maxWaitingBytes?: number;
  /** Where others write to the same output. Default: nobody else does. */
  readonly turns?: LineTurns;
}

const RETRY_MS = 10;
const LINE_BREAK = 0x0a;
/** Room for the line that fills a batch. */
const HEADROOM_BYTES = 16 * 1024;
const MAX_BYTES_PER_CHARACTER = 3;

/**
 * Writes log lines in batches, off the event loop. Lines are encoded into one buffer as they come, because a stream
 * that collects strings costs about 3 us per line and this costs 0.5 us.
 */
export class LineBuffer {
  /** Those that hold lines, however many there are: the process has one listener for all of them, and none without lines. */
  static readonly #holding = new Set<LineBuffer>();
  // Whatever ends the process, its last lines are what somebody will look for.
  static readonly #atExit = (): void => {
    for (const one of LineBuffer.#holding) one.#flushSync();
  };
  readonly #fd: number;
  readonly #batchBytes: number;
  readonly #batchMs: number;
  #maxWaitingBytes: number;
  #buffer: Buffer;
  #used = 0;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #writing = false;
  readonly #turns: LineTurns | undefined;
  #isWaiting = false;
  #timer: NodeJS.Timeout | undefined = undefined;
  /** What is lost and nobody was told of yet. */
  #dropped = { bytes: 0, lines: 0 };
  #droppedLines = 0;
  #onFlushed: (() => void)[] = [];

  constructor({
    fd,
    batchBytes = 128 * 1024,
    batchMs = 250,
    maxWaitingBytes = 64 * 2 ** 20,
    turns,
  }: LineBufferOptions) {
    this.#turns = turns;
    this.#fd = fd;
    this.#batchBytes = batchBytes;
    this.#batchMs = batchMs;
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#buffer = Buffer.allocUnsafe(batchBytes + HEADROOM_BYTES);
  }

  /** Takes a line with its line break. */
  write(line: string): void {
    const most = line.length * MAX_BYTES_PER_CHARACTER;
    if (this.#used + most > this.#buffer.length) this.#seal(most);
    if (this.#used === 0) this.#holds();
    this.#used += this.#buffer.write(line, this.#used);
    if (this.#used >= this.#batchBytes) this.#seal(0);
    else this.#timer ??= setTimeout(() => this.#seal(0), this.#batchMs).unref();
  }

  /** Takes whole lines of another process, with their line breaks. */
  pass(lines: Buffer): void {
    if (this.#used > 0) this.#seal(0);
    this.#holds();
    this.#enqueue(lines);
    if (!this.#writing) this.#writeNext();
  }

  /** How many lines were lost since it was made. */
  get droppedLines(): number {
    return this.#droppedLines;
  }

  /** Has so much wait from now on, in bytes. What waits already stays. */
  limit(maxWaitingBytes: number): void {
    this.#maxWaitingBytes = maxWaitingBytes;
  }

  /** How many bytes wait to be written. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Writes what is there; calls back when it is out. */
  flush(done: () => void = () => {}): void {
    this.#seal(0);
    if (this.#writing) this.#onFlushed.push(done);
    else done();
  }

  #holds(): void {
    if (LineBuffer.#holding.size === 0) process.once('exit', LineBuffer.#atExit);
    LineBuffer.#holding.add(this);
  }

  #holdsNothing(): void {
    if (LineBuffer.#holding.delete(this) && LineBuffer.#holding.size === 0)
      process.off('exit', LineBuffer.#atExit);
  }

  /** Moves the batch to those that wait to be written, and makes room for a line of this size. */
  #seal(needed: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#used > 0) this.#enqueue(this.#buffer.subarray(0, this.#used));
    this.#buffer = Buffer.allocUnsafe(Math.max(this.#batchBytes + HEADROOM_BYTES, needed));
    this.#used = 0;
    if (!this.#writing) this.#writeNext();
  }

  #enqueue(batch: Buffer): void {
    if (this.#waitingBytes + batch.length > this.#maxWaitingBytes) {
      // Fail open: a reader that does not read must not end the gateway. What is lost is said as soon as it reads.
      const lines = linesOf(batch);
      this.#droppedLines += lines;
      this.#dropped = { bytes: this.#dropped.bytes + batch.length, lines: this.#dropped.lines + lines };
      return;
    }
    this.#waiting.push(batch);
    this.#waitingBytes += batch.length;
  }

  #writeNext(): void {
    const batch = this.#waiting[0];
    this.#writing = batch !== undefined;
    if (batch === undefined) return this.#flushed();
    if (this.#turns === undefined) return this.#write(batch);
    this.#isWaiting = true;
    this.#turns.take(() => {
      this.#isWaiting = false;
      this.#write(batch);
    });
  }

  #write(batch: Buffer): void {
    write(this.#fd, batch, (error, written) => {
      if (error !== null) return this.#failed(error, batch);
      this.#waitingBytes -= written;
      if (written < batch.length) return this.#write((this.#waiting[0] = batch.subarray(written)));
      this.#waiting.shift();
      this.#turns?.end();
      this.#writeNext();
    });
  }

  #failed({ code }: NodeJS.ErrnoException, batch: Buffer): void {
    if (code === 'EAGAIN') return void setTimeout(() => this.#write(batch), RETRY_MS);
    // Nobody reads any more, such as after `| head`: there is no place left to complain to but the metrics.
    for (const lost of this.#waiting) this.#droppedLines += linesOf(lost);
    this.#waiting.length = this.#waitingBytes = 0;
    this.#turns?.end();
    this.#writeNext();
  }

  #flushed(): void {
    if (this.#dropped.bytes > 0) return this.#sayWhatIsLost();
    if (this.#used === 0) this.#holdsNothing();
    for (const done of this.#onFlushed.splice(0)) done();
  }

  #sayWhatIsLost(): void {
    const notice = { level: 40, time: Date.now(), ...this.#dropped, msg: 'log lines were dropped' };
    const batch = Buffer.from(`${JSON.stringify(notice)}\n`);
    this.#dropped = { bytes: 0, lines: 0 };
    this.#waiting.push(batch);
    this.#waitingBytes += batch.length;
    this.#writeNext();
  }

  #flushSync(): void {
    this.#waiting.push(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
    // The batch that is under way is in the hands of the system already.
    const underWay = this.#writing && !this.#isWaiting ? 1 : 0;
    for (const batch of this.#waiting.splice(underWay)) this.#writeAllSync(batch);
  }

  #writeAllSync(batch: Buffer): void {
    let rest = batch;
    for (let attempt = 0; rest.length > 0 && attempt < 100; attempt += 1) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      }
    }
  }
}

function linesOf(batch: Buffer): number {
  let lines = 0;
  for (let at = batch.indexOf(LINE_BREAK); at >= 0; at = batch.indexOf(LINE_BREAK, at + 1)) lines += 1;
  return lines;
}
