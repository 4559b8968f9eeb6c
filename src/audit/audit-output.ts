import { constants, readSync, openSync, closeSync, write, writeSync } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { PlainFault } from '../telemetry/error-facts.ts';

/** Where the lines of a trail go. */
export interface AuditOutput {
  /** Has it open, and the file that is at its place now. Rejects with why it cannot be written. */
  prepare(): Promise<void>;
  /** Writes what it can; resolves with how many bytes. */
  write(bytes: Buffer): Promise<number>;
  /** The same at the very end of the process. */
  writeSync(bytes: Buffer): number;
  /** Has the file looked at anew before the next line. */
  reopen(): void;
  close(): Promise<void>;
}

/** A stream that the process was given. */
export class DescriptorOutput implements AuditOutput {
  readonly #fd: number;

  /** @param fd 2 for the standard error. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  async prepare(): Promise<void> {}

  write(bytes: Buffer): Promise<number> {
    return new Promise((resolve, reject) =>
      write(this.#fd, bytes, (error, written) => (error === null ? resolve(written) : reject(error))),
    );
  }

  writeSync(bytes: Buffer): number {
    return writeSync(this.#fd, bytes);
  }

  reopen(): void {}

  async close(): Promise<void> {}
}

const { O_APPEND, O_CREAT, O_WRONLY, O_NONBLOCK } = constants;
const OWNER_ONLY = 0o600;
const LOOK_EVERY_MS = 1000;
const LINE_BREAK = 0x0a;

/**
 * A file that lines are added to, and never changed. Its mode is 0600 when it is made; one that is there keeps its own. A file
 * that was renamed or removed, as rotation does, is let go for the one that is at its place, at once when told so and within a
 * second otherwise.
 */
export class FileOutput implements AuditOutput {
  readonly #file: string;
  #handle: FileHandle | undefined = undefined;
  #identity = '';
  #lookedAt = -Infinity;

  constructor(file: string) {
    this.#file = file;
  }

  async prepare(): Promise<void> {
    const now = performance.now();
    if (this.#handle !== undefined && now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    if (this.#handle !== undefined && (await this.#isThere())) return;
    await this.close();
    await this.#open();
  }

  async write(bytes: Buffer): Promise<number> {
    return (await this.#opened().write(bytes)).bytesWritten;
  }

  writeSync(bytes: Buffer): number {
    return writeSync(this.#opened().fd, bytes);
  }

  reopen(): void {
    this.#lookedAt = -Infinity;
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => undefined);
  }

  #opened(): FileHandle {
    if (this.#handle === undefined) throw new PlainFault('the file is not open');
    return this.#handle;
  }

  async #isThere(): Promise<boolean> {
    const found = await stat(this.#file).catch(() => undefined);
    return found !== undefined && `${found.dev}:${found.ino}` === this.#identity;
  }

  async #open(): Promise<void> {
    // A pipe that nobody reads must not have the process wait.
    const handle = await open(this.#file, O_APPEND | O_CREAT | O_WRONLY | O_NONBLOCK, OWNER_ONLY);
    const found = await handle.stat();
    if (!found.isFile()) {
      await handle.close();
      throw new PlainFault('it is no regular file');
    }
    this.#identity = `${found.dev}:${found.ino}`;
    this.#handle = handle;
    // A process that was killed may have left half a line; it must not become the beginning of ours.
    if (found.size > 0 && lastByteOf(this.#file, found.size) !== LINE_BREAK) await handle.write('\n');
  }
}

// Whoever may only add to the file cannot look; then nothing is known of a half line.
function lastByteOf(file: string, size: number): number {
  try {
    const fd = openSync(file, constants.O_RDONLY);
    try {
      const byte = Buffer.alloc(1);
      return readSync(fd, byte, 0, 1, size - 1) === 1 ? (byte[0] as number) : LINE_BREAK;
    } finally {
      closeSync(fd);
    }
  } catch {
    return LINE_BREAK;
  }
}
