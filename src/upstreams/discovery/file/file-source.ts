import { unwatchFile, watchFile, type StatsListener } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { schemeFault, targetSchema, type TargetOptions } from '../../target.schema.ts';
import { Wake } from '../wake.ts';
import { MAX_ENTRIES, Unknown, type Asking, type DiscoverySource, type Known } from '../discovery-source.ts';

/** What the targets have to be reached with. */
export interface FileSourceOptions {
  readonly path: string;
  readonly protocol: 'http' | 'grpc';
  readonly tls?: unknown;
  /** How often the file is looked at, in ms. Default one second. */
  readonly lookEveryMs?: number;
}

const LOOK_EVERY_MS = 1000;
/** It is read from time to time although it looks the same: times of files may have whole seconds only. */
const READ_EVERY_MS = 30_000;
const MAX_BYTES = 16 * 1024 * 1024;

const listSchema = z.array(targetSchema).max(MAX_ENTRIES);
const fileSchema = z.union([listSchema, z.strictObject({ targets: listSchema })]);

/**
 * The targets that a JSON file lists. What its name leads to is looked at, as with the configuration: that finds files that
 * are renamed into place, and symbolic links that are swapped. A file with a fault, one that is half-written or one that is
 * gone says nothing.
 */
export class FileSource implements DiscoverySource {
  readonly longestMs = READ_EVERY_MS;
  readonly #options: FileSourceOptions;
  #isFirst = true;
  #hasChanged = false;
  readonly #wake = new Wake();

  constructor(options: FileSourceOptions) {
    this.#options = options;
  }

  async next({ signal, withinMs }: Asking): Promise<Known> {
    if (this.#isFirst) this.#watch();
    else if (!this.#hasChanged) await this.#wake.wait(Math.min(withinMs, READ_EVERY_MS), signal);
    this.#hasChanged = false;
    try {
      const targets = this.#read(await textOf(this.#options.path));
      return { targets, skipped: [], waitMs: 0 };
    } catch (error) {
      // The next look is not to wait for a change: what is half-written now may be whole, and look the same.
      this.#hasChanged = true;
      throw error;
    }
  }

  close(): void {
    unwatchFile(this.#options.path, this.#changed as never);
    this.#wake.now();
  }

  #watch(): void {
    this.#isFirst = false;
    const interval = this.#options.lookEveryMs ?? LOOK_EVERY_MS;
    watchFile(this.#options.path, { persistent: false, interval }, this.#changed);
  }

  readonly #changed: StatsListener = () => {
    this.#hasChanged = true;
    this.#wake.now();
  };

  #read(text: string): readonly TargetOptions[] {
    const read = fileSchema.safeParse(parsed(text));
    if (!read.success) throw new Unknown(`the file is no list of targets: ${placeOf(read.error)}`);
    const targets = Array.isArray(read.data) ? read.data : read.data.targets;
    targets.forEach((target, index) => {
      const message = schemeFault(target, this.#options);
      if (message !== undefined) throw new Unknown(`the file is no list of targets: [${index}]: ${message}`);
    });
    return targets.map((target) => ({ ...target, url: target.url.replace(/\/$/, '') }));
  }
}

async function textOf(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > MAX_BYTES) throw new Unknown('the file is larger than 16MiB');
    return bytes.toString('utf8');
  } catch (error) {
    if (error instanceof Unknown) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new Unknown(`the file cannot be read: ${code ?? 'unknown fault'}`, { cause: error });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Unknown('the file is no JSON', { cause: error });
  }
}

// Of alternatives the one that got furthest: an entry is told by its place, not by all it might have been.
function placeOf(error: z.ZodError): string {
  let best = { depth: -1, text: 'invalid' };
  const look = (issues: readonly z.core.$ZodIssue[], path: readonly PropertyKey[]): void => {
    for (const issue of issues) {
      const whole = [...path, ...issue.path];
      if (issue.code === 'invalid_union') for (const branch of issue.errors) look(branch, whole);
      if (whole.length > best.depth)
        best = { depth: whole.length, text: `${shown(whole)}: ${issue.message}` };
    }
  };
  look(error.issues, []);
  return best.text;
}

function shown(path: readonly PropertyKey[]): string {
  return (
    path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('') || 'the whole'
  );
}
