import { readMetadata } from '../tokens/discovery-document.ts';
import type { Clock } from '../verifier.ts';

/** How long what was found is believed before it is looked for again. */
const FRESH_MS = 3_600_000;
const TIMEOUT_MS = 5000;

/** Finds the introspection endpoint of an issuer by its metadata. What was found last goes on while that cannot be read. */
export class DiscoveredEndpoint {
  readonly #issuer: string;
  readonly #clock: Clock;
  #url: string | undefined = undefined;
  #foundAt = -Infinity;
  #looking: Promise<string> | undefined = undefined;

  constructor(issuer: string, clock: Clock) {
    this.#issuer = issuer;
    this.#clock = clock;
  }

  /** Looks for it now, so that the first token need not wait. */
  start(): void {
    if (this.#url === undefined) this.#look().catch(ignore);
  }

  /**
   * Returns where it is.
   *
   * @param stop how long somebody waits for it.
   * @throws {Error} when it has never been found.
   */
  url(stop: AbortSignal): string | Promise<string> {
    if (this.#url === undefined) return within(this.#look(), stop);
    if (this.#clock() - this.#foundAt > FRESH_MS) this.#look().catch(ignore);
    return this.#url;
  }

  #look(): Promise<string> {
    return (this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    }));
  }

  async #lookOnce(): Promise<string> {
    // Also where it fails: then it is tried again as late.
    if (this.#url !== undefined) this.#foundAt = this.#clock();
    const metadata = await readMetadata(this.#issuer, AbortSignal.timeout(TIMEOUT_MS));
    this.#url = metadata.url('introspection_endpoint');
    this.#foundAt = this.#clock();
    return this.#url;
  }
}

function within<T>(work: Promise<T>, stop: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => reject(stop.reason as Error);
    stop.addEventListener('abort', end, { once: true });
    work.then(resolve, reject).finally(() => stop.removeEventListener('abort', end));
  });
}

function ignore(): void {
  // Whoever needs it asks again, and is told.
}
