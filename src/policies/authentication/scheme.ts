import type { Redis } from 'ioredis';
import { namesRedis } from '../../config/redis-url.ts';
import type { PubSub } from '../../store/pub-sub.ts';
import type { StoreGuard } from '../../store/store-guard.ts';
import type { PresentedCertificates } from './client-certificates/presented-certificates.ts';
import type { Damping } from './damping/damping.ts';
import type { Revocations } from './revocation/revocations.ts';
import type { IdentityOptions } from './identity.schema.ts';
import type { Clock, CredentialVerifier } from './verifier.ts';

/** What an event says, as far as the audit takes it. */
export interface LoginEvent {
  readonly kind: 'denial';
  readonly action: 'refresh';
  readonly outcome: 'denied';
  readonly actor: { readonly type: 'principal'; readonly id: string; readonly scheme: 'session' };
  readonly source: { readonly address: string; readonly userAgent: string | undefined };
  readonly target: string;
  readonly route: string | undefined;
  readonly requestId: string;
  readonly traceId: string;
  readonly reason: string;
  readonly policy: 'identify';
  readonly details: Readonly<Record<string, string | undefined>>;
}

/** Whoever takes note of that. */
export interface LoginEvents {
  record(event: LoginEvent): void;
}

/** What identity needs from outside the configuration file. */
export interface IdentityNeeds {
  readonly redis?: Redis | undefined;
  /** Where changes that other replicas make are heard of. Default: nowhere. */
  readonly pubSub?: PubSub | undefined;
  /** In front of it, for what a request waits for. */
  readonly guard?: StoreGuard | undefined;
  /** Where shared secrets are read from. Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  /** It only looks whether it would work, and connects to nothing. */
  readonly isDryRun?: boolean | undefined;
  /** Default: those of this process alone. */
  readonly revocations?: Revocations | undefined;
  /** Default: nobody takes note of sessions that a provider ends. */
  readonly audit?: LoginEvents | undefined;
  /** Default: one of nobody yet. */
  readonly damping?: Damping | undefined;
}

/** Whether a start would have Redis: what only looks at a configuration connects to none, and goes by the environment. */
export function hasRedis({ redis, isDryRun, environment = process.env }: IdentityNeeds): boolean {
  return redis !== undefined || (isDryRun === true && namesRedis(environment));
}

/** What a verifier needs done in the background while some snapshot uses it. */
export interface Upkeep {
  /** Begins, or does nothing where it has begun. */
  start(): void;
  /** Ends it; it may start again. */
  stop(): void;
}

/** What schemes are compiled with. */
export interface SchemeContext extends IdentityNeeds {
  /** Finds the certificate of a request. */
  readonly certificates: PresentedCertificates;
  /**
   * Keeps something at work for as long as a section is: started, and stopped, with it. What a section had under the same name
   * goes on in the next one, so the name says all that it depends on.
   *
   * @param name begins with the scheme.
   */
  kept<Kept extends Upkeep>(name: string, make: () => Kept): Kept;
}

/** One kind of credential: how it is checked, and against what. */
export interface Scheme {
  readonly name: CredentialVerifier['scheme'];
  /** The key of the configuration that it is checked against. */
  readonly checkedAgainst: string;
  /**
   * Makes its verifier for an `identity:` section.
   *
   * @throws {IdentityFault} naming the key and the fix, when nothing could ever be verified as it stands.
   */
  create(options: IdentityOptions, context: SchemeContext): CredentialVerifier;
}
