import { Injectable } from '@nestjs/common';
import type { Exchange } from '../../exchange/exchange.ts';
import { credentialsOf, partitionOf, type Principal } from '../../exchange/principal.ts';
import { offerChallenge } from '../../exchange/challenge.ts';
import { Problem } from '../../problems/problem.ts';
import { StageFault } from '../stage-fault.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { depends, passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import { authenticationPolicy } from './authentication.policy.ts';
import { Identity } from './identity.ts';
import type { Damped } from './damping/damping.ts';
import { alternativesOf, requirementOf, schemesOf, type SchemeName } from './requirement.ts';
import { Possession } from './proof-of-possession/possession.ts';
import { SCHEMES } from './schemes.ts';
import { SessionStage } from './login/session.stage.ts';
import type { ExpiryWatch } from './expiry/expiry-watch.ts';
import type { Revocations } from './revocation/revocations.ts';
import { UNKNOWN, type CredentialVerifier, type RouteCredentials } from './verifier.ts';
import { INCOMPLETE, refuserOf, wayOf, type Way } from './ways.ts';

/** The keys of the configuration that schemes are checked against. */
const CHECKED_AGAINST = new Map(SCHEMES.map(({ name, checkedAgainst }) => [name, checkedAgainst]));
/** What can be bound to a key. */
const TOKENS: ReadonlySet<SchemeName> = new Set(['jwt', 'introspection']);

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
    const schemes = schemesOf(policy);
    const route: RouteCredentials = { schemes, dpop: policy.dpop };
    const verifiers = new Map(schemes.map((scheme) => [scheme, this.#verifierOf(scheme, route)]));
    const verifierOf = (scheme: SchemeName): CredentialVerifier =>
      verifiers.get(scheme) as CredentialVerifier;
    // What can be checked by nobody would let nobody in.
    if (!alternativesOf(policy).some((all) => all.every((scheme) => verifierOf(scheme).configured))) {
      const missing = schemes.filter((scheme) => !verifierOf(scheme).configured);
      const needed = missing.map((scheme) => CHECKED_AGAINST.get(scheme)).join(' or ');
      throw new Error(`authentication: nothing to check credentials against; add ${needed}`);
    }
    const { options } = this.identity.section;
    const possession = this.#possessionOf(policy.dpop);
    // Fails closed: who reads `require` believes that nobody calls without a proof.
    if (policy.dpop !== undefined && !schemes.some((scheme) => TOKENS.has(scheme)))
      throw new StageFault(
        ['authentication', 'dpop'],
        'needs the scheme jwt or introspection: nothing else is bound to a key',
      );
    const identify = new IdentifyStage({
      way: wayOf(requirementOf(policy), verifierOf),
      verifiers: schemes.map(verifierOf),
      isOptional: policy.optional === true,
      possession,
      revocations: options.revocation && this.identity.revocations,
      expiry: this.identity.expiry,
      damped: options.damping === 'off' ? undefined : this.identity.damping.with(options.damping),
    });
    const wishes = {
      onNavigation: policy.onNavigation === 'login',
      forwards: policy.accessToken === 'forward',
    };
    if (!wishes.onNavigation && !wishes.forwards) return identify;
    if (options.login === undefined || !schemes.includes('session'))
      throw new StageFault(
        ['authentication', wishes.onNavigation ? 'onNavigation' : 'accessToken'],
        'needs the scheme session and identity.login',
      );
    return new SessionStage(identify, options.login, wishes);
  }

  #verifierOf(scheme: SchemeName, route: RouteCredentials): CredentialVerifier {
    const verifier = this.identity.verifier(scheme);
    return verifier.onRoute?.(route) ?? verifier;
  }

  #possessionOf(dpop: 'require' | undefined): Possession {
    const { possession } = this.identity.section;
    if (dpop === undefined) return new Possession(possession);
    if (possession.proofs !== undefined) return new Possession({ ...possession, mode: dpop });
    const message = 'nothing says how proofs are verified; add identity.tokens.dpop';
    throw new StageFault(['authentication', 'dpop'], message);
  }
}

/** What an identify stage works with. */
export interface IdentifyDeps {
  /** How callers prove who they are. */
  readonly way: Way;
  /** Whose challenges are told, in this order. */
  readonly verifiers: readonly CredentialVerifier[];
  /** Whether somebody without any credential goes on as nobody. */
  readonly isOptional?: boolean;
  /** Default: tokens that are bound to something are refused. */
  readonly possession?: Possession;
  /** Undefined where nothing can be revoked. */
  readonly revocations?: Revocations | undefined;
  /** Default: what is under way goes on when its credential expires. */
  readonly expiry?: ExpiryWatch | undefined;
  /** Undefined where any number of bad credentials is checked. */
  readonly damped?: Damped | undefined;
}

/** Finds out who calls. */
export class IdentifyStage implements Stage {
  readonly #way: Way;
  readonly #verifiers: readonly CredentialVerifier[];
  readonly #isOptional: boolean;
  readonly #possession: Possession;
  readonly #revocations: Revocations | undefined;
  readonly #expiry: ExpiryWatch | undefined;
  readonly #damped: Damped | undefined;

  constructor(deps: IdentifyDeps) {
    const { way, verifiers, isOptional = false, possession, revocations, expiry, damped } = deps;
    this.#way = way;
    this.#verifiers = verifiers;
    this.#isOptional = isOptional;
    this.#possession = possession ?? new Possession({ mode: 'off', proofs: undefined });
    this.#revocations = revocations;
    this.#expiry = expiry;
    this.#damped = damped;
  }

  enter(exchange: Exchange): void | Promise<void> {
    const refusal = this.#damped?.refusal(exchange);
    if (refusal !== undefined) return this.#enterKnown(exchange, refusal);
    const proof = this.#prove(exchange);
    if (proof === undefined || proof === INCOMPLETE) return this.#nobody(exchange, proof);
    return proof instanceof Promise ? this.#wait(proof, exchange) : this.#admit(proof, exchange);
  }

  // Credentials are neither asked for nor checked: that may need somebody else.
  explain({ principal }: Exchange): StageVerdict {
    if (principal !== undefined) return passes({ caller: partitionOf(principal) });
    const without = this.#isOptional ? 'it goes on as nobody' : 'it is 401';
    return depends(`nobody is assumed, and credentials are not checked; without one ${without}`);
  }

  /** Lets in who is remembered, and nobody who would have to be checked. */
  #enterKnown(exchange: Exchange, refusal: Problem): void | Promise<void> {
    const known = this.#way.known(exchange);
    if (known === undefined) return this.#nobody(exchange, known);
    if (known !== UNKNOWN) return this.#admit(known, exchange);
    this.#damped?.refused();
    throw refusal;
  }

  #prove(exchange: Exchange): ReturnType<Way['verify']> {
    try {
      return this.#way.verify(exchange);
    } catch (error) {
      throw this.#challenging(error, exchange);
    }
  }

  async #wait(found: Promise<Principal>, exchange: Exchange): Promise<void> {
    let principal: Principal;
    try {
      principal = await found;
    } catch (error) {
      throw this.#challenging(error, exchange);
    }
    await this.#admit(principal, exchange);
  }

  #nobody(exchange: Exchange, proof: typeof INCOMPLETE | undefined): void {
    // Fails closed: half of what is asked for is an attempt, and no anonymous call.
    if (this.#isOptional && proof === undefined) return offerChallenge(exchange, this.#challenges(exchange));
    throw new Problem('credentials-missing', {
      ...(proof === INCOMPLETE
        ? { detail: 'A further credential is needed beside the one that is there.' }
        : {}),
      headers: { 'www-authenticate': this.#challenges(exchange) },
    });
  }

  // The one place that everybody passes, whatever the scheme, after all that is remembered of a credential.
  #admit(principal: Principal, exchange: Exchange): void | Promise<void> {
    let proof: Promise<unknown> | undefined;
    try {
      proof = this.#possession.checkAll(exchange, principal);
    } catch (error) {
      throw this.#challenging(error, exchange, principal);
    }
    return proof === undefined ? this.#letIn(principal, exchange) : this.#proved(proof, principal, exchange);
  }

  async #proved(proof: Promise<unknown>, principal: Principal, exchange: Exchange): Promise<void> {
    try {
      await proof;
    } catch (error) {
      throw this.#challenging(error, exchange, principal);
    }
    this.#letIn(principal, exchange);
  }

  #letIn(principal: Principal, exchange: Exchange): void {
    const revocations = this.#revocations;
    if (revocations !== undefined) {
      this.#admitUnrevoked(principal, exchange, principal);
      principal.also?.forEach((one) => this.#admitUnrevoked(one, exchange, principal));
    }
    this.#expiry?.admit(exchange, principal);
    exchange.principal = principal;
  }

  #admitUnrevoked(one: Principal, exchange: Exchange, whole: Principal): void {
    try {
      this.#revocations?.admit(exchange, one);
    } catch (error) {
      if (error instanceof Problem && error.status === 401)
        this.#verifiers.find(({ scheme }) => scheme === one.scheme)?.forget?.(exchange);
      throw this.#challenging(error, exchange, whole);
    }
  }

  /** A refusal, with challenges: that of the refused credential says why (RFC 6750 section 3). */
  #challenging(error: unknown, exchange: Exchange, by?: Principal): unknown {
    if (!(error instanceof Problem) || error.status !== 401) return error;
    this.#damped?.note(error, exchange);
    const refuser = by === undefined ? refuserOf(error) : this.#verifierOf(by);
    return new Problem(error.code, {
      detail: error.message,
      headers: { ...error.headers, 'www-authenticate': this.#challenges(exchange, error, refuser) },
      cause: error.cause,
    });
  }

  #verifierOf(principal: Principal): CredentialVerifier | undefined {
    const schemes: readonly string[] = credentialsOf(principal).map(({ scheme }) => scheme);
    return this.#verifiers.find(({ scheme }) => schemes.includes(scheme));
  }

  // By scheme: requests of several routes can wait for one refusal of an authorization server.
  #challenges(exchange: Exchange, refusal?: Problem, by?: CredentialVerifier): string {
    const all = this.#verifiers.flatMap((verifier) =>
      verifier.challenge(verifier.scheme === by?.scheme ? refusal : undefined, exchange),
    );
    // Two schemes can ask for the same kind of credential: then the one that says more is enough.
    const isSaid = (one: string, at: number): boolean =>
      all.some((other, i) => i !== at && other.startsWith(one) && (other.length > one.length || i < at));
    return all.filter((one, at) => !isSaid(one, at)).join(', ');
  }
}
