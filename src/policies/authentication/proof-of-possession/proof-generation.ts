interface Caller {
  readonly byKey: Map<string, Set<string>>;
  size: number;
}

/** The proofs that were seen since a time, by caller and key, and the callers that are shut out. */
export class ProofGeneration {
  readonly #callers = new Map<string, Caller>();
  readonly #shut = new Set<string>();
  size = 0;

  has(caller: string, key: string, digest: string): boolean {
    return this.#callers.get(caller)?.byKey.get(key)?.has(digest) === true;
  }

  sizeOf(caller: string): number {
    return this.#callers.get(caller)?.size ?? 0;
  }

  /** Whether the proofs of a caller were forgotten before their time, so that none of his may be believed. */
  shuts(caller: string): boolean {
    return this.#shut.size > 0 && this.#shut.has(caller);
  }

  add(caller: string, key: string, digest: string): void {
    let one = this.#callers.get(caller);
    if (one === undefined) this.#callers.set(caller, (one = { byKey: new Map(), size: 0 }));
    const known = one.byKey.get(key);
    if (known === undefined) one.byKey.set(key, new Set([digest]));
    else known.add(digest);
    one.size += 1;
    this.size += 1;
  }

  /**
   * Makes room: forgets the proofs of the caller who has most, and shuts him out in return.
   *
   * @param least how many he has to have; who has fewer is no flood, and taking his place would free next to nothing.
   * @returns whether there was one.
   */
  shutHeaviest(least: number): boolean {
    let heaviest: string | undefined;
    let most = least - 1;
    for (const [caller, { size }] of this.#callers) if (size > most) [heaviest, most] = [caller, size];
    if (heaviest === undefined) return false;
    this.#callers.delete(heaviest);
    this.#shut.add(heaviest);
    this.size -= most;
    return true;
  }
}
