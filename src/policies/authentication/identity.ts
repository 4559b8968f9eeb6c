import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { resolve } from 'node:path';
import { ApiKeyDirectory } from './api-key.directory.ts';
import { configuredApiKeys } from './api-key.store.ts';
import { RedisApiKeyStore } from './api-key.store.redis.ts';
import { ApiKeyVerifier } from './api-key.verifier.ts';
import type { IdentityOptions, IssuerOptions } from './identity.schema.ts';
import { Jwks } from './jwks.ts';
import { jwksFromFile, jwksFromUrl } from './jwks-document.ts';
import { JwtVerifier } from './jwt.verifier.ts';
import { FixedKey, type KeySource } from './signing-key.ts';
import type { Clock, CredentialVerifier } from './verifier.ts';

/** What identity needs from outside the configuration file. */
export interface IdentityNeeds {
  readonly redis?: Redis | undefined;
  /** Where shared secrets are read from. Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
}

type Verifiers = { readonly [Scheme in CredentialVerifier['scheme']]: CredentialVerifier };

/** An issuer of the configuration that could never verify anything. */
export class IdentityFault extends Error {
  override readonly name = 'IdentityFault';
  readonly issuer: IssuerOptions;
  /** The key of the issuer that is at fault. */
  readonly key: 'secretEnv' | 'publicKey';

  constructor(issuer: IssuerOptions, key: 'secretEnv' | 'publicKey', message: string) {
    super(message);
    this.issuer = issuer;
    this.key = key;
  }
}

/** The verifiers that the `identity:` section describes, and their work in the background. */
export class Identity {
  readonly #needs: IdentityNeeds;
  #options: IdentityOptions;
  #verifiers: Verifiers;
  #running = false;

  /** @throws {IdentityFault} naming the key and the fix, when a shared secret is missing or too short. */
  constructor(options: IdentityOptions, needs: IdentityNeeds = {}) {
    this.#needs = needs;
    this.#options = options;
    this.#verifiers = createVerifiers(options, needs);
  }

  /** Returns the verifier that routes compiled from now on use. */
  verifier(scheme: CredentialVerifier['scheme']): CredentialVerifier {
    return this.#verifiers[scheme];
  }

  /**
   * Takes over a reloaded section; routes that were compiled before keep the verifiers that they have.
   *
   * @throws {Error} like the constructor; then everything stays as it was.
   */
  apply(options: IdentityOptions): void {
    const next = createVerifiers(options, this.#needs);
    const previous = this.#verifiers;
    this.#verifiers = next;
    this.#options = options;
    if (!this.#running) return;
    each(previous, (verifier) => verifier.stop());
    warnOfTwins(options);
    each(next, (verifier) => verifier.start());
  }

  /** Starts to keep keys fresh. */
  start(): void {
    this.#running = true;
    warnOfTwins(this.#options);
    each(this.#verifiers, (verifier) => verifier.start());
  }

  /** Ends it. */
  stop(): void {
    this.#running = false;
    each(this.#verifiers, (verifier) => verifier.stop());
  }
}

// Services would take users of two issuers for one; the gateway itself never does.
function warnOfTwins({ issuers }: IdentityOptions): void {
  for (const [index, { issuer, idPrefix }] of issuers.entries()) {
    const twin = issuers.slice(index + 1).find((other) => mayEqual(idPrefix, other.idPrefix));
    if (twin === undefined) continue;
    new Logger('Identity').warn(
      `identity.issuers: ${issuer} and ${twin.issuer} can give different users the same id towards services; give each an idPrefix of its own.`,
    );
  }
}

function mayEqual(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one);
}

function each(verifiers: Verifiers, act: (verifier: CredentialVerifier) => void): void {
  for (const verifier of Object.values(verifiers)) act(verifier);
}

function createVerifiers(options: IdentityOptions, needs: IdentityNeeds): Verifiers {
  const store = needs.redis === undefined ? undefined : new RedisApiKeyStore(needs.redis);
  const directory = new ApiKeyDirectory(configuredApiKeys(options.apiKeys), store, needs.clock);
  return {
    jwt: new JwtVerifier(options, (issuer) => keySourceOf(issuer, needs), needs.clock),
    apiKey: new ApiKeyVerifier(directory),
  };
}

function keySourceOf(issuer: IssuerOptions, needs: IdentityNeeds): KeySource {
  if (issuer.publicKey !== undefined) return checked(FixedKey.ofPem(issuer.publicKey), issuer, 'publicKey');
  if (issuer.secretEnv !== undefined) {
    const secret = (needs.environment ?? process.env)[issuer.secretEnv];
    if (secret === undefined || secret === '')
      throw fault(issuer, 'secretEnv', 'set this environment variable');
    return checked(FixedKey.ofSecret(secret), issuer, 'secretEnv');
  }
  // Absolute, so that the log tells whoever started the gateway elsewhere which file was meant.
  const file = issuer.jwksFile === undefined ? undefined : resolve(issuer.jwksFile);
  return new Jwks({
    issuer: issuer.issuer,
    load: file === undefined ? jwksFromUrl(issuer.jwks ?? '') : jwksFromFile(file),
    ...(file === undefined ? {} : { file }),
    refreshMs: issuer.jwksRefresh,
    cooldownMs: issuer.jwksCooldown,
    ...(needs.clock === undefined ? {} : { clock: needs.clock }),
  });
}

/** A fixed key that fits none of the accepted algorithms could never verify anything. */
function checked(key: FixedKey, issuer: IssuerOptions, place: IdentityFault['key']): FixedKey {
  if (issuer.algorithms.some((algorithm) => key.algorithms.includes(algorithm))) return key;
  const fits =
    key.algorithms.length === 0 ? 'is too weak for any algorithm' : `fits ${key.algorithms.join(', ')}`;
  const fix = `the key ${fits}; accepted are ${issuer.algorithms.join(', ')}`;
  throw fault(issuer, place, fix);
}

function fault(issuer: IssuerOptions, key: IdentityFault['key'], fix: string): IdentityFault {
  const place = key === 'secretEnv' ? `${key}: ${issuer.secretEnv}` : key;
  return new IdentityFault(issuer, key, `identity.issuers, ${issuer.issuer}: ${place}: ${fix}`);
}
