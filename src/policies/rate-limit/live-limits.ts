import { liveLimitSchema, type TierLimit } from './tiers.schema.ts';

interface Read {
  readonly text: string;
  readonly limit: TierLimit | undefined;
}

/** Limits by name as a hash in Redis says them. What says the same as before is the same object. */
export class LiveLimits {
  readonly #key: string;
  readonly #report: (message: string) => void;
  #read: ReadonlyMap<string, Read> = new Map();
  #all: ReadonlyMap<string, TierLimit> = new Map();

  /** @param report hears of each value that is none, once. */
  constructor(key: string, report: (message: string) => void) {
    this.#key = key;
    this.#report = report;
  }

  /** Those that can be read; of the others what the file says holds. */
  get all(): ReadonlyMap<string, TierLimit> {
    return this.#all;
  }

  /** Takes over what a hash says. */
  use(texts: ReadonlyMap<string, string>): void {
    const read = new Map<string, Read>();
    for (const [name, text] of texts) {
      const before = this.#read.get(name);
      read.set(name, before?.text === text ? before : this.#parsed(name, text));
    }
    this.#read = read;
    this.#all = new Map(
      [...read].flatMap(([name, { limit }]) => (limit === undefined ? [] : [[name, limit] as const])),
    );
  }

  #parsed(name: string, text: string): Read {
    const limit = liveLimitOf(text);
    if (limit === undefined)
      this.#report(`${this.#key}: the value of ${name} is no limit, such as ${EXAMPLE}, and is not minded`);
    return { text, limit };
  }
}

const EXAMPLE = '{"rate":100,"per":"1m"}';

/** Reads a limit as it stands in Redis; undefined for what is none. */
function liveLimitOf(text: string): TierLimit | undefined {
  if (text === 'off') return text;
  try {
    return liveLimitSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
