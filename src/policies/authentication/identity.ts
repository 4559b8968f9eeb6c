import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ApiKeyDirectory } from './api-key.directory.ts';
import { configuredApiKeys } from './api-key.store.ts';
import { RedisApiKeyStore } from './api-key.store.redis.ts';
import { ApiKeyVerifier } from './api-key.verifier.ts';
import type { IdentityOptions, IssuerOptions } from './identity.schema.ts';
import { Jwks } from './jwks.ts';
import { jwksFromDiscovery } from './discovery-document.ts';
import { jwksFromFile, jwksFromUrl, type JwksLoader } from './jwks-document.ts';
import { JwtVerifier } from './jwt.verifier.ts';
import { FixedKey, type KeySource } from './signing-key.ts';
import { Revocations } from './revocation/revocations.ts';
import type { Clock, CredentialVerifier } from './verifier.ts';

/** What identity needs from outside the configuration file. */
export interface IdentityNeeds {
  readonly redis?: Redis | undefined;
  /** Where shared secrets are read from. Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  /** Default: those of this process alone. */
  readonly revocations?: Revocations | undefined;
}

/** One `identity:` section at work. */
export interface IdentitySection {
  readonly options: IdentityOptions;
  readonly verifiers: { readonly [Scheme in CredentialVerifier['scheme']]: CredentialVerifier };
  /** The keys that it checks with and that change by themselves, by what they depend on. */
  readonly keys: ReadonlyMap<string, KeySource>;
}

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
  /** Who is revoked; of use where the section says so. */
  readonly revocations: Revocations;
  readonly #needs: IdentityNeeds;
  /** Sections that some snapshot has, and how many have it. */
  readonly #holders = new Map<IdentitySection, number>();
  readonly #started = new Set<KeySource>();
  #section: IdentitySection;
  #running = false;

  /** @throws {IdentityFault} naming the key and the fix, when a shared secret is missing or too short. */
  constructor(options: IdentityOptions, needs: IdentityNeeds = {}) {
    this.#needs = needs;
    this.revocations = needs.revocations ?? new Revocations();
    this.#section = createSection(options, needs);
  }

  /** The section that is in force. */
  get section(): IdentitySection {
    return this.#section;
  }

  /** Returns the verifier that routes compiled from now on use. */
  verifier(scheme: CredentialVerifier['scheme']): CredentialVerifier {
    return this.#section.verifiers[scheme];
  }

  /**
   * Prepares a reloaded section. One that did not change is the section in force, with all tokens that it has verified;
   * keys of an issuer that did not change go on.
   *
   * @throws {Error} like the constructor.
   */
  prepare(options: IdentityOptions): IdentitySection {
    const inForce = this.#section;
    return isDeepStrictEqual(inForce.options, options)
      ? inForce
      : createSection(options, this.#needs, inForce);
  }

  /** Has what is compiled within `compile` use a section that is not in force yet, and only that. */
  using<Result>(section: IdentitySection, compile: () => Result): Result {
    const inForce = this.#section;
    this.#section = section;
    try {
      return compile();
    } finally {
      this.#section = inForce;
    }
  }

  /** Keeps the keys of a section at work until as many {@link release}. */
  hold(section: IdentitySection): void {
    this.#holders.set(section, (this.#holders.get(section) ?? 0) + 1);
  }

  /** Puts a section into force. */
  begin(section: IdentitySection): void {
    if (this.#section === section) return;
    this.#section = section;
    if (!this.#running) return;
    warnOfTwins(section.options);
    this.revocations.use(section.options.revocation);
    this.#startKeys();
  }

  /** Lets a section go: keys that no other one checks with are not kept fresh any more. */
  release(section: IdentitySection): void {
    const left = (this.#holders.get(section) ?? 1) - 1;
    if (left > 0) return void this.#holders.set(section, left);
    this.#holders.delete(section);
    this.#stopUnused();
  }

  /**
   * Takes over a reloaded section at once; routes that were compiled before keep the verifiers that they have.
   *
   * @throws {Error} like the constructor; then everything stays as it was.
   */
  apply(options: IdentityOptions): void {
    this.begin(this.prepare(options));
    this.#stopUnused();
  }

  /** Starts to keep keys fresh. */
  start(): void {
    this.#running = true;
    warnOfTwins(this.#section.options);
    this.revocations.use(this.#section.options.revocation);
    this.#startKeys();
  }

  /** Ends it. */
  stop(): void {
    this.#running = false;
    this.revocations.stop();
    for (const keys of this.#started) keys.stop();
    this.#started.clear();
  }

  #startKeys(): void {
    for (const keys of this.#section.keys.values()) {
      if (this.#started.has(keys)) continue;
      this.#started.add(keys);
      keys.start();
    }
  }

  #stopUnused(): void {
    const sections = [this.#section, ...this.#holders.keys()];
    const used = new Set(sections.flatMap(({ keys }) => [...keys.values()]));
    for (const keys of this.#started) {
      if (used.has(keys)) continue;
      keys.stop();
      this.#started.delete(keys);
    }
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

function createSection(
  options: IdentityOptions,
  needs: IdentityNeeds,
  previous?: IdentitySection,
): IdentitySection {
  const store = needs.redis === undefined ? undefined : new RedisApiKeyStore(needs.redis);
  const directory = new ApiKeyDirectory(configuredApiKeys(options.apiKeys), store, needs.clock);
  const keys = new Map<string, KeySource>();
  const keysOf = (issuer: IssuerOptions): KeySource => {
    const { issuer: name, jwks, jwksFile, discovery, jwksRefresh, jwksCooldown } = issuer;
    if (jwks === undefined && jwksFile === undefined && discovery === undefined)
      return keySourceOf(issuer, needs);
    const same = JSON.stringify([name, jwks, jwksFile, discovery, jwksRefresh, jwksCooldown]);
    const source = previous?.keys.get(same) ?? keySourceOf(issuer, needs);
    keys.set(same, source);
    return source;
  };
  const verifiers = {
    jwt: new JwtVerifier(options, keysOf, needs.clock),
    apiKey: new ApiKeyVerifier(directory),
  };
  return { options, verifiers, keys };
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
    load: loaderOf(issuer, file),
    ...(file === undefined ? {} : { file }),
    refreshMs: issuer.jwksRefresh,
    cooldownMs: issuer.jwksCooldown,
    ...(needs.clock === undefined ? {} : { clock: needs.clock }),
  });
}

function loaderOf({ issuer, jwks, discovery }: IssuerOptions, file: string | undefined): JwksLoader {
  if (file !== undefined) return jwksFromFile(file);
  return discovery === true ? jwksFromDiscovery(issuer) : jwksFromUrl(jwks ?? '');
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
