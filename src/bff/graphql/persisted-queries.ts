import { DocumentCache } from './document-cache.ts';
import { sha256 } from './trusted-documents.ts';

const MEMORY_BYTES = 16 * 1024 * 1024;
const BYTES_PER_ENTRY = 256;
const KEPT_FOR_S = 24 * 60 * 60;
const KEY = 'graphql:apq:';

/** Texts that all replicas share; what cannot be told in time is not there. */
export interface TextStore {
  get(key: string): Promise<string | undefined>;
  set(key: string, text: string, ttlS: number): void;
}

/**
 * Remembers documents that clients sent once, by their hash: in this process within a number of bytes, and in
 * the shared store for a day when there is one, so that all replicas know them. What is not there is not found;
 * the client then sends the text again, which is all that this may ever cost.
 */
export class PersistedQueries {
  readonly #known = new DocumentCache<string>(MEMORY_BYTES);
  readonly #store: TextStore | undefined;

  constructor(store: TextStore | undefined) {
    this.#store = store;
  }

  /** The text of a hash; undefined when nobody has sent it. */
  async find(hash: string): Promise<string | undefined> {
    const known = this.#known.get(hash);
    if (known !== undefined || this.#store === undefined) return known;
    const text = await this.#store.get(KEY + hash);
    // Whoever can write to the store must not be able to pass off one document as another.
    if (text === undefined || sha256(text) !== hash) return undefined;
    this.#remember(hash, text);
    return text;
  }

  /** Keeps a text whose hash was checked. Nobody waits for the store. */
  keep(hash: string, text: string): void {
    if (this.#known.get(hash) !== undefined) return;
    this.#remember(hash, text);
    this.#store?.set(KEY + hash, text, KEPT_FOR_S);
  }

  #remember(hash: string, text: string): void {
    this.#known.set(hash, text, text.length * 2 + BYTES_PER_ENTRY);
  }
}
