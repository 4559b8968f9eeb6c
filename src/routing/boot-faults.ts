import { ConfigError, withPlaces, type ConfigFault } from '../config/config-fault.ts';
import { toldOnce } from '../config/told-once.ts';

/**
 * Gathers what keeps a gateway from starting, from whoever finds it while the application is put together, so that all
 * of it is told at once. Nothing listens while there is a fault.
 */
export class BootFaults {
  readonly #faults: ConfigFault[];
  readonly #examined = new WeakSet<object>();
  #thrown: ConfigError | undefined = undefined;

  constructor(faults: readonly ConfigFault[] = []) {
    this.#faults = [...faults];
  }

  /** Whether there is one. */
  get any(): boolean {
    return this.#faults.length > 0;
  }

  /** Adds faults that have been found. */
  add(faults: readonly ConfigFault[]): void {
    for (const fault of faults) this.#faults.push(fault);
  }

  /**
   * Adds faults of code, each of which names its place.
   *
   * @param codeOf finds the code that a message is about. Default: nobody knows.
   */
  addMessages(
    where: string,
    messages: Iterable<string>,
    codeOf: (message: string) => object | undefined = () => undefined,
  ): void {
    this.add(
      [...messages].map((message) => ({ file: where, key: '', message, code: { at: codeOf(message) } })),
    );
  }

  /** Says that somebody has looked for policies on a class, and enforces what it found. */
  examined(target: object): void {
    this.#examined.add(target);
  }

  isExamined(target: object): boolean {
    return this.#examined.has(target);
  }

  /**
   * Adds what ended the boot early to what is known.
   *
   * @returns what to throw: the error itself when there is nothing else.
   */
  with(error: unknown): unknown {
    if (!this.any || error === this.#thrown) return error;
    if (error instanceof ConfigError) this.add(error.faults);
    else this.addMessages('gateway', [error instanceof Error ? error.message : String(error)]);
    return new ConfigError(withPlaces(toldOnce(this.#faults)));
  }

  /** @throws {ConfigError} with all faults, when there is one. */
  refuse(): void {
    if (this.any) throw (this.#thrown = new ConfigError(withPlaces(toldOnce(this.#faults))));
  }
}
