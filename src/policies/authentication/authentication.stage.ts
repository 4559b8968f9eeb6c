import { Injectable } from '@nestjs/common';
import type { Exchange } from '../../exchange/exchange.ts';
import { partitionOf, type Principal } from '../../exchange/principal.ts';
import { Problem } from '../../problems/problem.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import { authenticationPolicy } from './authentication.policy.ts';
import { Identity } from './identity.ts';
import { SCHEMES } from './schemes.ts';
import { SessionStage } from './login/session.stage.ts';
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
    const verifiers = policy.schemes.map((scheme) => this.identity.verifier(scheme));
    if (!verifiers.some((verifier) => verifier.configured)) {
      const needed = policy.schemes.map((scheme) => CHECKED_AGAINST.get(scheme)).join(' or ');
      throw new Error(`authentication: nothing to check credentials against; add ${needed}`);
    }
    const { options } = this.identity.section;
    const identify = new IdentifyStage(verifiers, options.revocation && this.identity.revocations);
    const wishes = {
      onNavigation: policy.onNavigation === 'login',
      forwards: policy.accessToken === 'forward',
    };
    if (!wishes.onNavigation && !wishes.forwards) return identify;
    if (options.login === undefined || !policy.schemes.includes('session'))
      throw new Error(
        'authentication: onNavigation and accessToken need the scheme session and identity.login',
      );
    return new SessionStage(identify, options.login, wishes);
  }
}

/** Finds out who calls. The first credential that the request carries decides. */
export class IdentifyStage implements Stage {
  readonly #verifiers: readonly CredentialVerifier[];

  /** Undefined where nothing can be revoked. */
  readonly #revocations: Revocations | undefined;

  constructor(verifiers: readonly CredentialVerifier[], revocations?: Revocations) {
    this.#verifiers = verifiers;
    this.#revocations = revocations;
  }

  enter(exchange: Exchange): void | Promise<void> {
    for (const verifier of this.#verifiers) {
      const found = this.#verify(verifier, exchange);
      if (found === undefined) continue;
      if (found instanceof Promise) return this.#wait(found, verifier, exchange);
      return this.#admit(found, verifier, exchange);
    }
    throw new Problem('credentials-missing', { headers: { 'www-authenticate': this.#challenges() } });
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
      throw this.#problem(error, verifier);
    }
  }

  async #wait(found: Promise<Principal>, verifier: CredentialVerifier, exchange: Exchange): Promise<void> {
    let principal: Principal;
    try {
      principal = await found;
    } catch (error) {
      throw this.#problem(error, verifier);
    }
    this.#admit(principal, verifier, exchange);
  }

  // The one place where revocations are looked at, whatever the scheme, after all that is remembered of a credential.
  #admit(principal: Principal, verifier: CredentialVerifier, exchange: Exchange): void {
    if (this.#revocations !== undefined) {
      try {
        this.#revocations.admit(exchange, principal);
      } catch (error) {
        throw this.#problem(error, verifier);
      }
    }
    exchange.principal = principal;
  }

  /** A bad credential is refused, never skipped: trying the next one would hide an attack. */
  #problem(error: unknown, verifier: CredentialVerifier): Problem {
    // A defect in a check is no answer to it, so it fails closed without calling the credential bad.
    if (!(error instanceof Problem)) return unavailable(RETRY_AFTER_MS, error);
    if (error.status !== 401) return error;
    return new Problem(error.code, {
      detail: error.message,
      headers: { 'www-authenticate': this.#challenges(error, verifier) },
      cause: error.cause,
    });
  }

  /** One challenge per accepted scheme; that of the refused credential says why (RFC 6750 section 3). */
  #challenges(refusal?: Problem, by?: CredentialVerifier): string {
    return this.#verifiers
      .map((verifier) => verifier.challenge(verifier === by ? refusal : undefined))
      .join(', ');
  }
}
