/** The digits of whole numbers of a JSON text that are too large for a number of JavaScript, by where they stand. */
export class ExactNumbers {
  /** The digits of the whole text, when it is one such number. */
  root: string | undefined = undefined;
  readonly #places = new Map<object, Map<string, string>>();

  /** Notes the digits of the value that an object or a list holds. */
  note(holder: object, key: string, digits: string): void {
    const known = this.#places.get(holder);
    if (known === undefined) this.#places.set(holder, new Map([[key, digits]]));
    else known.set(key, digits);
  }

  /** The digits of the value that an object or a list holds, if they were noted. */
  digitsOf(holder: object, key: string | number): string | undefined {
    return this.#places.get(holder)?.get(String(key));
  }
}
