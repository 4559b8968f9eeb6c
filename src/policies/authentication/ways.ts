import type { Exchange } from '../../exchange/exchange.ts';
import { joined, type Principal } from '../../exchange/principal.ts';
import { Problem } from '../../problems/problem.ts';
import type { Requirement, SchemeName } from './requirement.ts';
import { unavailable, UNKNOWN, type CredentialVerifier } from './verifier.ts';

const RETRY_AFTER_MS = 1000;

/** Some of several credentials are there, and another one is missing. */
export const INCOMPLETE = Symbol('incomplete');

/** What a request proves: who calls, nothing at all, or not everything that is asked for. */
export type Proof = Principal | Promise<Principal> | typeof INCOMPLETE | undefined;

/** What is remembered of a request's credentials. */
export type Known = Principal | typeof UNKNOWN | undefined;

/** One way to prove who calls. */
export interface Way {
  /** @throws {Problem} for a credential that was refused: that of {@link refuser}. */
  verify(exchange: Exchange): Proof;
  /**
   * The same by what is remembered of good credentials alone: without a signature that is checked or somebody who is asked.
   * {@link UNKNOWN} where that is not enough.
   */
  known(exchange: Exchange): Known;
}

/** Builds the way of a requirement. */
export function wayOf(requirement: Requirement, verifierOf: (scheme: SchemeName) => CredentialVerifier): Way {
  if (typeof requirement === 'string') return new One(verifierOf(requirement));
  const isAny = 'anyOf' in requirement;
  const ways = (isAny ? requirement.anyOf : requirement.allOf).map((one) => wayOf(one, verifierOf));
  const [only] = ways;
  if (only !== undefined && ways.length === 1) return only;
  return isAny ? new AnyOf(ways) : new AllOf(ways);
}

const refusers = new WeakMap<Problem, CredentialVerifier>();

/** Who refused a credential; undefined for a problem that is nobody's refusal. */
export function refuserOf(problem: Problem): CredentialVerifier | undefined {
  return refusers.get(problem);
}

class One implements Way {
  readonly #verifier: CredentialVerifier;

  constructor(verifier: CredentialVerifier) {
    this.#verifier = verifier;
  }

  verify(exchange: Exchange): Proof {
    try {
      const found = this.#verifier.verify(exchange);
      return found instanceof Promise ? this.#named(found) : found;
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  known(exchange: Exchange): Known {
    if (this.#verifier.known !== undefined) return this.#verifier.known(exchange);
    try {
      const found = this.#verifier.verify(exchange);
      if (!(found instanceof Promise)) return found;
      ignore([found]);
    } catch {
      // A bad one is no known one, and why it is bad is not told.
    }
    return UNKNOWN;
  }

  async #named(found: Promise<Principal>): Promise<Principal> {
    try {
      return await found;
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  #refusal(error: unknown): Problem {
    // A defect in a check is no answer to it, so it fails closed without calling the credential bad.
    const problem = error instanceof Problem ? error : unavailable(RETRY_AFTER_MS, error);
    refusers.set(problem, this.#verifier);
    return problem;
  }
}

/** The first way whose credentials are all there decides; a bad one is refused, never skipped: that would hide an attack. */
class AnyOf implements Way {
  readonly #ways: readonly Way[];

  constructor(ways: readonly Way[]) {
    this.#ways = ways;
  }

  verify(exchange: Exchange): Proof {
    let proof: Proof = undefined;
    for (const way of this.#ways) {
      const found = way.verify(exchange);
      if (found === INCOMPLETE) proof = INCOMPLETE;
      else if (found !== undefined) return found;
    }
    return proof;
  }

  known(exchange: Exchange): Known {
    for (const way of this.#ways) {
      const found = way.known(exchange);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** All ways are needed. The first one says who calls. */
class AllOf implements Way {
  readonly #ways: readonly Way[];

  constructor(ways: readonly Way[]) {
    this.#ways = ways;
  }

  verify(exchange: Exchange): Proof {
    const found: (Principal | Promise<Principal>)[] = [];
    let isPartial = false;
    try {
      for (const way of this.#ways) {
        const proof = way.verify(exchange);
        if (proof === INCOMPLETE || proof === undefined) isPartial ||= proof === INCOMPLETE;
        else found.push(proof);
      }
    } catch (error) {
      ignore(found);
      throw error;
    }
    if (found.length === this.#ways.length) return together(found);
    ignore(found);
    return isPartial || found.length > 0 ? INCOMPLETE : undefined;
  }

  known(exchange: Exchange): Known {
    const found = this.#ways.map((way) => way.known(exchange));
    if (found.every((one) => one === undefined)) return undefined;
    return found.every((one) => typeof one === 'object') ? joined(found) : UNKNOWN;
  }
}

function together(found: readonly (Principal | Promise<Principal>)[]): Principal | Promise<Principal> {
  return found.every(isKnown) ? joined(found) : Promise.all(found).then(joined);
}

function isKnown(found: Principal | Promise<Principal>): found is Principal {
  return !(found instanceof Promise);
}

// What becomes of them does not matter any more; a rejection that nobody hears would end the process.
function ignore(found: readonly (Principal | Promise<Principal>)[]): void {
  for (const one of found) if (one instanceof Promise) one.catch(() => undefined);
}
