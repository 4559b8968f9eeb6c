import { promisify } from 'node:util';
import {
  brotliCompress,
  brotliDecompress,
  constants,
  gunzip,
  gzip,
  zstdCompress,
  zstdDecompress,
} from 'node:zlib';
import type { Coding } from '../compression/accept-encoding.ts';
import type { CodedBody } from './entry.ts';

/** So many bodies are compressed at a time: there are few threads, and others need them. */
const MAX_RUNNING = 2;
/** So many wait; more are kept as they came. */
const MAX_WAITING = 256;
/** What is not smaller than that is kept as it came: each who wants it so would pay for the decoding. */
const WORTH_IT = 0.9;

const ENCODERS: Readonly<Record<Coding, (body: Buffer) => Promise<Buffer>>> = {
  gzip: promisify(gzip),
  br: (body) =>
    promisify(brotliCompress)(body, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 6, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
    }),
  zstd: (body) => promisify(zstdCompress)(body, { params: { [constants.ZSTD_c_compressionLevel]: 6 } }),
};

const DECODERS: Readonly<
  Record<Coding, (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>>
> = {
  gzip: promisify(gunzip),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
};

/** Compresses bodies that are stored already, by other threads and a bounded number at a time; no request waits for it. */
export class BodyCoder {
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = 0;

  /**
   * Compresses a body. Never rejects.
   *
   * @returns undefined for one that is not worth it, and when too many are under way.
   */
  code(body: Buffer, coding: Coding): Promise<Buffer | undefined> {
    if (this.#waiting.length >= MAX_WAITING) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting.push(async () => resolve(await coded(body, coding)));
      this.#next();
    });
  }

  #next(): void {
    if (this.#running >= MAX_RUNNING) return;
    const run = this.#waiting.shift();
    if (run === undefined) return;
    this.#running += 1;
    void run().finally(() => {
      this.#running -= 1;
      this.#next();
    });
  }
}

async function coded(body: Buffer, coding: Coding): Promise<Buffer | undefined> {
  try {
    const made = await ENCODERS[coding](body);
    // A copy, because it is kept, and may lie in more room than it needs.
    return made.length < body.length * WORTH_IT ? Buffer.from(made) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a body can be decoded to just the length that is said; nothing more of it is decoded. */
export async function isDecodable(body: Buffer, { coding, length }: CodedBody): Promise<boolean> {
  try {
    return (await DECODERS[coding](body, { maxOutputLength: length })).length === length;
  } catch {
    return false;
  }
}
