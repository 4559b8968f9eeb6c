import type { Principal } from '../../../exchange/principal.ts';
import { marksOf } from '../revocation/revocation-marks.ts';
import type { CertificateNames } from './certificate-names.ts';
import { matcherOf, NAME_KINDS, type NameKind } from './certificate-patterns.ts';
import type {
  CertificateHolder,
  CertificateRule,
  ClientCertificateOptions,
  IdPart,
} from './client-certificates.schema.ts';
import type { PresentedCertificate } from './presented-certificate.ts';

/** The names by which a certificate has matched. */
type Matched = Partial<Record<NameKind, string>>;

interface CompiledRule {
  readonly holder: CertificateHolder;
  /** Undefined for a certificate that the rule is not for. */
  match(certificate: PresentedCertificate, names: CertificateNames): Matched | undefined;
}

const PART = /\{(uri|dns|email|cn|fingerprint)\}/g;
/** Of a common name, which may be any text. */
const CONTROL_OR_FORMAT = /\p{C}|^\s|\s$/u;
const MOST_ID_LENGTH = 1024;

/** Tells whom certificates stand for. */
export class CertificateHolders {
  readonly #rules: readonly CompiledRule[];
  readonly #unmapped: CertificateHolder | undefined;
  /** Ids that rules give by name: no certificate may call itself so. */
  readonly #given: ReadonlySet<string>;
  readonly #isRevocable: boolean;

  /** @param isRevocable whether they are to be found among revocations. */
  constructor({ rules, unmapped }: ClientCertificateOptions, isRevocable: boolean) {
    this.#rules = rules.map(compiled);
    this.#unmapped = unmapped === 'refused' ? undefined : unmapped;
    this.#given = new Set(rules.map(({ id }) => id));
    this.#isRevocable = isRevocable;
  }

  /** Who holds a certificate; undefined for nobody who is known. */
  holder(certificate: PresentedCertificate): Principal | undefined {
    const { names } = certificate;
    if (names === undefined) return undefined;
    for (const rule of this.#rules) {
      const matched = rule.match(certificate, names);
      if (matched !== undefined) return this.#principal(rule.holder, certificate, matched);
    }
    return this.#unmapped && this.#principal(this.#unmapped, certificate, {});
  }

  #principal(
    holder: CertificateHolder,
    certificate: PresentedCertificate,
    matched: Matched,
  ): Principal | undefined {
    const id = this.#idOf(holder.id, certificate, matched);
    if (id === undefined) return undefined;
    const { kind, roles, permissions, tenant, tier } = holder;
    const { fingerprint, names } = certificate;
    const [isUser, email] = [kind === 'user', names?.email];
    return Object.freeze({
      id,
      scheme: 'mtls',
      issuer: undefined,
      subject: isUser ? id : undefined,
      clientId: isUser ? undefined : id,
      apiKeyId: undefined,
      roles,
      permissions,
      scopes: NOTHING,
      email: isUser && email?.length === 1 ? email[0] : undefined,
      tenant,
      tier,
      claims: claimsOf(certificate),
      marks: this.#isRevocable ? marks(fingerprint) : undefined,
    });
  }

  /** Undefined where the certificate does not say what the id is made of, or says several. */
  #idOf(template: string, certificate: PresentedCertificate, matched: Matched): string | undefined {
    if (!template.includes('{')) return template;
    let isWhole = true;
    const id = template.replace(PART, (_all, part: IdPart) => {
      const value = partOf(part, certificate, matched);
      isWhole &&= value !== undefined;
      return value ?? '';
    });
    return isWhole && id.length <= MOST_ID_LENGTH && !this.#given.has(id) ? id : undefined;
  }
}

const NOTHING: readonly string[] = Object.freeze([]);

function compiled({ match, ...holder }: CertificateRule): CompiledRule {
  const matchers = NAME_KINDS.flatMap((kind) => {
    const pattern = match[kind];
    return pattern === undefined ? [] : [{ kind, test: matcherOf(kind, pattern) }];
  });
  const attributes = Object.entries(match.subject ?? {});
  return {
    holder,
    match(certificate, names) {
      if (match.fingerprint !== undefined && match.fingerprint !== certificate.fingerprint) return undefined;
      if (!attributes.every(([name, value]) => names.subject.get(name) === value)) return undefined;
      const matched: Matched = {};
      for (const { kind, test } of matchers) {
        const name = names[kind].find(test);
        if (name === undefined) return undefined;
        matched[kind] = name;
      }
      return matched;
    },
  };
}

function partOf(
  part: IdPart,
  { fingerprint, names }: PresentedCertificate,
  matched: Matched,
): string | undefined {
  if (part === 'fingerprint') return fingerprint;
  if (part !== 'cn') {
    const all = names?.[part] ?? [];
    return matched[part] ?? (all.length === 1 ? all[0] : undefined);
  }
  const name = names?.subject.get('CN');
  return name === undefined || CONTROL_OR_FORMAT.test(name) ? undefined : name;
}

/** What conditions can ask of it; `exp` as in tokens, because what a caller has opened ends with it. */
function claimsOf({ fingerprint, names, untilMs }: PresentedCertificate): Principal['claims'] {
  return Object.freeze({
    ...(Number.isFinite(untilMs) ? { exp: Math.floor(untilMs / 1000) } : {}),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...Object.fromEntries(NAME_KINDS.map((kind) => [kind, Object.freeze([...(names?.[kind] ?? [])])])),
  });
}

function marks(fingerprint: string | undefined): Principal['marks'] {
  return marksOf({
    issuer: undefined,
    token: fingerprint,
    session: undefined,
    subject: undefined,
    issuedAt: undefined,
  });
}
