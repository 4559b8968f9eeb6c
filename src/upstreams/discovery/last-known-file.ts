import { statSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { readNamedFile } from '../../config/named-file.ts';
import { urlFault } from '../../config/url.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { TargetOptions } from '../target.schema.ts';
import { MAX_ENTRIES } from './discovery-source.ts';

/** Whose targets are kept, and where. */
export interface LastKnownOptions {
  readonly path: string;
  readonly upstream: string;
  /** What is asked, in a few words: what another source has said is not taken over. */
  readonly source: string;
  readonly schemes: readonly string[];
  readonly logger: Logger;
}

const MAX_BYTES = 16 * 1024 * 1024;
const OWNER_ONLY = 0o600;

const targetSchema = z.strictObject({
  url: z.string(),
  weight: z.int().min(1),
  labels: z.record(z.string(), z.string()),
  zone: z.string().optional(),
  priority: z.int().min(0),
  serverName: z.string().optional(),
});

const fileSchema = z.object({
  upstream: z.string(),
  source: z.string(),
  targets: z.array(targetSchema).max(MAX_ENTRIES),
});

/**
 * The last known targets of a source as a file, for a start while its registry is down. It is replaced as a whole, so that
 * several processes can write it. What cannot be read or written is told, and changes nothing else.
 */
export class LastKnownFile {
  readonly #options: LastKnownOptions;
  #wanted: readonly TargetOptions[] | undefined = undefined;
  #isWriting = false;
  #isFailing = false;

  constructor(options: LastKnownOptions) {
    this.#options = options;
  }

  /** What was written last; none if there is nothing, or it is of another source. */
  read(): readonly TargetOptions[] {
    const { path, upstream, source, schemes } = this.#options;
    try {
      if (statSync(path).size > MAX_BYTES) throw new Error('it is larger than 16MiB');
      const found = fileSchema.parse(JSON.parse(readNamedFile(path).toString()));
      if (found.upstream !== upstream || found.source !== source)
        throw new Error(`it is of ${found.upstream}, ${found.source}`);
      const rules = { schemes, example: '', rest: 'nothing' } as const;
      const targets = found.targets.filter(({ url }) => urlFault(url, rules) === undefined);
      this.#log('info', 'begins with what was known before the start', { targets: targets.length });
      return targets;
    } catch (error) {
      const { code, message, name } = error as NodeJS.ErrnoException;
      // As before the first answer.
      if (code === 'ENOENT') return [];
      const reason = code ?? (name === 'Error' ? message : 'it is no list of targets');
      this.#log('warn', 'cannot begin with what was known before the start', { reason });
      return [];
    }
  }

  /** Writes what is known now; of several that come while one is written the last. */
  write(targets: readonly TargetOptions[]): void {
    this.#wanted = targets;
    if (!this.#isWriting) void this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    const { path, upstream, source } = this.#options;
    const temporary = `${path}.${process.pid}.new`;
    while (this.#wanted !== undefined) {
      const targets = this.#wanted;
      this.#wanted = undefined;
      try {
        const text = JSON.stringify({ upstream, source, targets }, undefined, 1);
        await writeFile(temporary, text, { mode: OWNER_ONLY });
        await rename(temporary, path);
        this.#isFailing = false;
      } catch (error) {
        // Fails open: what is known is in force, whether it can be kept or not.
        const reason = (error as NodeJS.ErrnoException).code;
        if (!this.#isFailing) this.#log('warn', 'cannot keep what is known for the next start', { reason });
        this.#isFailing = true;
      }
    }
    this.#isWriting = false;
  }

  #log(level: 'info' | 'warn', message: string, more: object): void {
    const { logger, upstream, source, path } = this.#options;
    logger[level]({ upstream, discovery: source, file: path, ...more }, `discovery: ${message}`);
  }
}
