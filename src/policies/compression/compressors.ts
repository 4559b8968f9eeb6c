import type { Transform } from 'node:stream';
import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib';
import type { Coding } from './accept-encoding.ts';

/** How hard each coding tries; what is beyond these bounds costs more time than it saves. */
export interface Levels {
  readonly gzip: number;
  readonly br: number;
  readonly zstd: number;
}

/** So many answers are compressed at the same time; each holds less than a megabyte and a thread at a time. */
export const MAX_RUNNING = 128;
/** Base 2 logarithm of how far back they look, in bytes: larger windows cost memory for each answer. */
const WINDOW_BITS = 18;

const MAKERS: Readonly<Record<Coding, (levels: Levels) => Transform>> = {
  // Each write is flushed: what a service has sent is not held back until it sends more.
  gzip: ({ gzip }) => createGzip({ level: gzip, flush: constants.Z_SYNC_FLUSH }),
  br: ({ br }) =>
    createBrotliCompress({
      flush: constants.BROTLI_OPERATION_FLUSH,
      params: { [constants.BROTLI_PARAM_QUALITY]: br, [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS },
    }),
  zstd: ({ zstd }) =>
    createZstdCompress({
      flush: constants.ZSTD_e_flush,
      params: { [constants.ZSTD_c_compressionLevel]: zstd, [constants.ZSTD_c_windowLog]: WINDOW_BITS },
    }),
};

/** Makes compressors, a bounded number at a time. */
export class Compressors {
  readonly #max: number;
  #running = 0;

  /** @param max how many there are at the same time. */
  constructor(max = MAX_RUNNING) {
    this.#max = max;
  }

  /** A compressor of its own; undefined when there are too many. It counts until it is closed, which whoever takes it sees to. */
  make(coding: Coding, levels: Levels): Transform | undefined {
    if (this.#running >= this.#max) return undefined;
    this.#running += 1;
    return MAKERS[coding](levels).once('close', () => (this.#running -= 1));
  }
}
