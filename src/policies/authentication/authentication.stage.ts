import { Injectable } from '@nestjs/common';
import type { Exchange } from '../../exchange/exchange.ts';
import { partitionOf, type Principal } from '../../exchange/principal.ts';
import { Problem } from '../../problems/problem.ts';
import { StageFault } from '../stage-fault.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import { authenticationPolicy } from './authentication.policy.ts';
import { Identity } from './identity.ts';
import { SCHEMES } from './schemes.ts';
import { Possession } from './proof-of-possession/possession.ts';
import type { Revocations } from './revocation/revocations.ts';
import { unavailable, type CredentialVerifier } from './verifier.ts';

const RETRY_AFTER_MS = 1000;

/** The keys of the configuration that schemes are checked against. */
const CHECKED_AGAINST = new Map(SCHEMES.map(({ name, checkedAgainst }) => [name, checkedAgainst]));

/** Compiles the identify stage; a public route has none. */
@Injectable()
export class AuthenticationStageFactory implements StageFactory {
  readonly policy = authenticationPolicy;

  constructor(private readonly identity: Identity) {}

  compile({ policies }: StageInput): Stage | undefined {
    const policy = policies.authentication;
    // Fails closed: open routes say so.
    if (policy === undefined) throw new Error('authentication: expected `public` or { schemes: [...] }');
    if (policy === 'public') return undefined;
    const verifiers = policy.schemes.map((scheme) => {
      const verifier = this.identity.verifier(scheme);
      return verifier.onRoute?.(policy) ?? verifier;
    });
    if (!verifiers.some((verifier) => verifier.configured)) {
      const needed = policy.schemes.map((scheme) => CHECKED_AGAINST.get(scheme)).join(' or ');
      throw new Error(`authentication: nothing to check credentials against; add ${needed}`);
    }
    const { options, possession } = this.identity.section;
    if (policy.dpop !== undefined && possession.proofs === undefined)
      throw new StageFault(
        ['authentication', 'dpop'],
        'nothing says how proofs are verified; add identity.tokens.dpop',
      );
    const rules = policy.dpop === undefined ? possession : { ...possession, mode: policy.dpop };
    const revocations = options.revocation && this.identity.revocations;
    return new IdentifyStage(verifiers, revocations, new Possession(rules));
  }
}

/** Finds out who calls. The first credential that the request carries decides. */
export class IdentifyStage implements Stage {
  readonly #verifiers: readonly CredentialVerifier[];

  /** Undefined where nothing can be revoked. */
  readonly #revocations: Revocations | undefined;
  readonly #possession: Possession;

  constructor(
    verifiers: readonly CredentialVerifier[],
    revocations?: Revocations,
    possession = new Possession({ mode: 'off', proofs: undefined }),
  ) {
    this.#verifiers = verifiers;
    this.#revocations = revocations;
    this.#possession = possession;
  }

  enter(exchange: Exchange): void | Promise<void> {
    for (const verifier of this.#verifiers) {
      const found = this.#verify(verifier, exchange);
      if (found === undefined) continue;
      if (found instanceof Promise) return this.#wait(found, verifier, exchange);
      return this.#admit(found, verifier, exchange);
    }
    throw new Problem('credentials-missing', {
      headers: { 'www-authenticate': this.#challenges(exchange) },
    });
  }

  // Credentials are neither asked for nor checked: that may need somebody else.
  explain({ principal }: Exchange): StageVerdict {
    if (principal !== undefined) return passes({ caller: partitionOf(principal) });
    return depends('nobody is assumed, and credentials are not checked; without one it is 401');
  }

  #verify(verifier: CredentialVerifier, exchange: Exchange): Principal | Promise<Principal> | undefined {
    try {
      return verifier.verify(exchange);
    } catch (error) {
      throw this.#problem(error, verifier, exchange);
    }
  }

  async #wait(found: Promise<Principal>, verifier: CredentialVerifier, exchange: Exchange): Promise<void> {
    let principal: Principal;
    try {
      principal = await found;
    } catch (error) {
      throw this.#problem(error, verifier, exchange);
    }
    await this.#admit(principal, verifier, exchange);
  }

  // The one place that everybody passes, whatever the scheme, after all that is remembered of a credential.
  #admit(principal: Principal, verifier: CredentialVerifier, exchange: Exchange): void | Promise<void> {
    let proof: Promise<void> | undefined;
    try {
      proof = this.#possession.check(exchange, principal);
    } catch (error) {
      throw this.#problem(error, verifier, exchange);
    }
    if (proof === undefined) return this.#letIn(principal, verifier, exchange);
    return this.#proved(proof, { principal, verifier, exchange });
  }

  async #proved(
    proof: Promise<void>,
    {
      principal,
      verifier,
      exchange,
    }: { principal: Principal; verifier: CredentialVerifier; exchange: Exchange },
  ): Promise<void> {
    try {
      await proof;
    } catch (error) {
      throw this.#problem(error, verifier, exchange);
    }
    this.#letIn(principal, verifier, exchange);
  }

  #letIn(principal: Principal, verifier: CredentialVerifier, exchange: Exchange): void {
    if (this.#revocations !== undefined) {
      try {
        this.#revocations.admit(exchange, principal);
      } catch (error) {
        throw this.#problem(error, verifier, exchange);
      }
    }
    exchange.principal = principal;
  }

  /** A bad credential is refused, never skipped: trying the next one would hide an attack. */
  #problem(error: unknown, verifier: CredentialVerifier, exchange: Exchange): Problem {
    // A defect in a check is no answer to it, so it fails closed without calling the credential bad.
    if (!(error instanceof Problem)) return unavailable(RETRY_AFTER_MS, error);
    if (error.status !== 401) return error;
    return new Problem(error.code, {
      detail: error.message,
      headers: { ...error.headers, 'www-authenticate': this.#challenges(exchange, error, verifier) },
      cause: error.cause,
    });
  }

  /** One challenge per accepted scheme; that of the refused credential says why (RFC 6750 section 3). */
  #challenges(exchange: Exchange, refusal?: Problem, by?: CredentialVerifier): string {
    const all = this.#verifiers.flatMap((verifier) =>
      verifier.challenge(verifier === by ? refusal : undefined, exchange),
    );
    // Two schemes can ask for the same kind of credential: then the one that says more is enough.
    const isSaid = (one: string, at: number): boolean =>
      all.some((other, i) => i !== at && other.startsWith(one) && (other.length > one.length || i < at));
    return all.filter((one, at) => !isSaid(one, at)).join(', ');
  }
}
