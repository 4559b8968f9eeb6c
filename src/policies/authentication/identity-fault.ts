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

/** Several of them. */
export class IdentityFaults extends Error {
  override readonly name = 'IdentityFaults';
  readonly faults: readonly IdentityFault[];

  constructor(faults: readonly IdentityFault[]) {
    super(faults.map(({ message }) => message).join('; '));
    this.faults = faults;
  }
}

/**
 * Makes one after the other, the others also where one of them cannot be.
 *
 * @throws {IdentityFault} the only fault.
 * @throws {IdentityFaults} all of them, each once.
 */
export function eachOf<Made>(makers: readonly (() => Made)[]): Made[] {
  const faults = new Map<string, IdentityFault>();
  const made: Made[] = [];
  for (const make of makers) {
    try {
      made.push(make());
    } catch (error) {
      for (const fault of faultsOf(error)) faults.set(JSON.stringify([fault.at, fault.message]), fault);
    }
  }
  const all = [...faults.values()];
  if (all.length > 1) throw new IdentityFaults(all);
  for (const only of all) throw only;
  return made;
}

/** The faults that an error is. @throws the error itself where it is none. */
export function faultsOf(error: unknown): readonly IdentityFault[] {
  if (error instanceof IdentityFault) return [error];
  if (error instanceof IdentityFaults) return error.faults;
  throw error;
}

/**
 * Reads a secret of an `identity:` section.
 *
 * @throws {IdentityFault} at its key, with what `read` throws.
 */
export function secretAt<Secret>(path: readonly (string | number)[], read: () => Secret): Secret {
  try {
    return read();
  } catch (error) {
    throw new IdentityFault(path, (error as Error).message);
  }
}
