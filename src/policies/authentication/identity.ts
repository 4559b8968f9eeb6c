import { Logger } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import { secretFilesOf, secretsDigest } from '../../config/secret-files.ts';
import { PresentedCertificates } from './client-certificates/presented-certificates.ts';
import { Damping } from './damping/damping.ts';
import { ExpiryWatch } from './expiry/expiry-watch.ts';
import { eachOf } from './identity-fault.ts';
import type { IdentityOptions } from './identity.schema.ts';
import { possessionRules } from './proof-of-possession/possession-rules.ts';
import type { PossessionRules } from './proof-of-possession/possession.ts';
import { Revocations } from './revocation/revocations.ts';
import type { IdentityNeeds, Upkeep } from './scheme.ts';
import { SCHEMES } from './schemes.ts';
import type { CredentialVerifier } from './verifier.ts';

/** One `identity:` section at work. */
export interface IdentitySection {
  readonly options: IdentityOptions;
  readonly verifiers: ReadonlyMap<CredentialVerifier['scheme'], CredentialVerifier>;
  /** What tokens have to be presented with. */
  readonly possession: PossessionRules;
  /** Of what the files with its secrets held when it was made. */
  readonly secrets: string;
  /** What its verifiers need done in the background, by what that depends on. */
  readonly kept: ReadonlyMap<string, Upkeep>;
}

/** The verifiers that the `identity:` section describes, and their work in the background. */
export class Identity {
  /** Who is revoked; of use where the section says so. */
  readonly revocations: Revocations;
  /** Ends what is under way when its credential expires. */
  readonly expiry: ExpiryWatch;
  /** Who sent too many bad credentials; of use where the section says so. */
  readonly damping: Damping;
  readonly #needs: IdentityNeeds;
  /** Sections that some snapshot has, and how many have it. */
  readonly #holders = new Map<IdentitySection, number>();
  readonly #started = new Set<Upkeep>();
  #section: IdentitySection;
  #running = false;

  /** @throws {IdentityFault} naming the key and the fix, when a shared secret is missing or too short. */
  constructor(options: IdentityOptions, needs: IdentityNeeds = {}) {
    this.revocations = needs.revocations ?? new Revocations();
    this.expiry = new ExpiryWatch({ exchanges: this.revocations.exchanges, clock: needs.clock });
    this.damping = needs.damping ?? new Damping();
    this.#needs = { ...needs, revocations: this.revocations };
    this.#section = createSection(options, this.#needs);
  }

  /** The section that is in force. */
  get section(): IdentitySection {
    return this.#section;
  }

  /** Returns the verifier that routes compiled from now on use. */
  verifier(scheme: CredentialVerifier['scheme']): CredentialVerifier {
    const verifier = this.#section.verifiers.get(scheme);
    if (verifier === undefined) throw new Error(`authentication: no scheme ${scheme}`);
    return verifier;
  }

  /**
   * Prepares a reloaded section. One that did not change, nor any file that it names with a secret, is the section in force,
   * with all tokens that it has verified; keys of an issuer that did not change go on.
   *
   * @throws {Error} like the constructor.
   */
  prepare(options: IdentityOptions): IdentitySection {
    const inForce = this.#section;
    return isDeepStrictEqual(inForce.options, options) && inForce.secrets === digestOf(options)
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

  /** Keeps a section at work until as many {@link release}. */
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
    this.#startKept();
  }

  /** Lets a section go: what no other one needs ends, such as the refresh of keys. */
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

  /** Starts the work in the background, such as the refresh of keys. */
  start(): void {
    this.#running = true;
    this.expiry.start();
    warnOfTwins(this.#section.options);
    this.revocations.use(this.#section.options.revocation);
    this.#startKept();
  }

  /** Ends it. */
  stop(): void {
    this.#running = false;
    this.expiry.stop();
    this.revocations.stop();
    for (const one of this.#started) one.stop();
    this.#started.clear();
  }

  #startKept(): void {
    for (const one of this.#section.kept.values()) {
      if (this.#started.has(one)) continue;
      this.#started.add(one);
      one.start();
    }
  }

  #stopUnused(): void {
    const sections = [this.#section, ...this.#holders.keys()];
    const used = new Set(sections.flatMap(({ kept }) => [...kept.values()]));
    for (const one of this.#started) {
      if (used.has(one)) continue;
      one.stop();
      this.#started.delete(one);
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
  // Before they are read for good: a change in between is another section at the next reload.
  const secrets = digestOf(options);
  const kept = new Map<string, Upkeep>();
  const certificates = new PresentedCertificates(options.clientCertificates?.forwarded);
  const context = {
    ...needs,
    certificates,
    kept<Kept extends Upkeep>(name: string, make: () => Kept): Kept {
      // Equal names mean equal makers: the same scheme names what it made before.
      const one = (kept.get(name) ?? previous?.kept.get(name) ?? make()) as Kept;
      kept.set(name, one);
      return one;
    },
  };
  const verifiers = new Map<CredentialVerifier['scheme'], CredentialVerifier>();
  const [possession] = eachOf<PossessionRules | undefined>([
    () => possessionRules(options, context),
    ...SCHEMES.map((scheme) => () => void verifiers.set(scheme.name, scheme.create(options, context))),
  ]);
  return { options, verifiers, possession: possession as PossessionRules, secrets, kept };
}

function digestOf(options: IdentityOptions): string {
  return secretsDigest(secretFilesOf(options, '', ['identity']));
}
