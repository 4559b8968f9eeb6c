/** An `identity:` section that could never verify anything as it stands. */
export class IdentityFault extends Error {
  override readonly name = 'IdentityFault';
  /** Where in the section the fault is. */
  readonly at: readonly (string | number)[];

  /** @param message says what is at fault and what to do. */
  constructor(at: readonly (string | number)[], message: string) {
    super(message);
    this.at = at;
  }
}
