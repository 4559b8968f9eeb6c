import { hash } from 'node:crypto';
import type { Exchange } from '../../../exchange/exchange.ts';
import { partitionOf, type Principal } from '../../../exchange/principal.ts';
import { authorizationOf } from '../credential-header.ts';
import { typOf } from '../tokens/compact-token.ts';
import { parseJson } from '../tokens/fetched-document.ts';
import { refused, type Clock } from '../verifier.ts';
import type { DpopNonces } from './dpop-nonces.ts';
import type { VerifiedDpopOptions } from './dpop.schema.ts';
import { ProofRefused } from './proof-refused.ts';
import { ProofSignatures, thumbprintOf, type ProofAlgorithm } from './proof-signature.ts';
import { comparablePath, comparableUrl } from './proof-url.ts';
import type { SeenProofs } from './seen-proofs.ts';

/** By what proofs are verified. */
export interface DpopDeps {
  readonly options: VerifiedDpopOptions;
  readonly nonces: DpopNonces | undefined;
  readonly seen: SeenProofs;
  readonly clock: Clock;
}

type Members = Readonly<Record<string, unknown>>;

/** A proof that was read, before its signature is verified. */
interface ReadProof {
  readonly text: string;
  readonly alg: ProofAlgorithm;
  readonly jwk: Members;
  readonly claims: Members;
}

const MAX_PROOF_LENGTH = 4096;
const MAX_JTI_LENGTH = 256;
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** What only who has a private key may know (RFC 7518 section 6), and shared secrets. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
/** An RSA key of a stranger: others take long to verify with. */
const RSA_MODULUS = { min: 342, max: 683 };
const RSA_EXPONENT = 'AQAB';

/** Verifies proofs that whoever presents a token has the key that it is bound to (RFC 9449 section 4.3). */
export class DpopProofs {
  readonly #deps: DpopDeps;
  readonly #signatures = new ProofSignatures();
  /** Where clients reach us, without a slash at the end. */
  readonly #bases: readonly string[];

  constructor(deps: DpopDeps) {
    this.#deps = deps;
    this.#bases = deps.options.urls.map((url) => (comparableUrl(url) ?? url).replace(/\/$/, ''));
  }

  /**
   * Verifies the proof of a request. What costs least comes first, and a proof is only used up when all else is right.
   *
   * @param principal whose token it is.
   * @param jkt thumbprint of the key that the token is bound to.
   * @throws {Problem} `credentials-invalid`, with what the next proof has to have; `identity-unavailable`.
   */
  async verify(exchange: Exchange, principal: Principal, jkt: string): Promise<void> {
    const token = authorizationOf(exchange.request, 'dpop') ?? '';
    const proof = readProof(proofOf(exchange), this.#deps.options.algorithms);
    this.#checkClaims(proof.claims, exchange, token);
    const thumbprint = thumbprintOf(proof.jwk);
    if (thumbprint === undefined) throw malformed();
    // Not what is wrong with the proof, but with who has the token.
    if (thumbprint !== jkt) throw refused('The token is not presented as it has to be.');
    if (!this.#signatures.holds(proof.text, proof.alg, proof.jwk, thumbprint))
      throw new ProofRefused('The DPoP proof is not signed by its key.');
    const digest = hash('sha256', proof.claims['jti'] as string, 'base64url');
    const holder = { caller: partitionOf(principal), key: jkt };
    if (!(await this.#deps.seen.take(holder, digest)))
      throw new ProofRefused('The DPoP proof was used before.');
  }

  #checkClaims(claims: Members, exchange: Exchange, token: string): void {
    const { jti, htm, htu, iat, ath } = claims;
    if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH || typeof iat !== 'number')
      throw malformed();
    if (htm !== exchange.method) throw new ProofRefused('The DPoP proof is for another method.');
    if (typeof htu !== 'string' || !this.#isHere(htu, exchange.path))
      throw new ProofRefused('The DPoP proof is for another URL.');
    if (ath !== hash('sha256', token, 'base64url'))
      throw new ProofRefused('The DPoP proof is for another token.');
    this.#checkTime(claims['nonce'], iat, exchange);
  }

  // By the nonce where there are some: then the clock of the client does not count (RFC 9449 section 4.3, 11).
  #checkTime(nonce: unknown, iat: number, exchange: Exchange): void {
    const { nonces, clock, options } = this.#deps;
    if (nonces === undefined) {
      if (Math.abs(clock() - iat * 1000) > options.window)
        throw new ProofRefused('The DPoP proof was not made just now.');
      return;
    }
    const { current } = nonces;
    if (!nonces.takes(nonce)) throw new ProofRefused('The DPoP proof needs another nonce.', current);
    if (nonce !== current) exchange.responseHeaders.push('dpop-nonce', current);
  }

  #isHere(htu: string, path: string): boolean {
    const said = comparableUrl(htu);
    const own = comparablePath(path);
    return said !== undefined && this.#bases.some((base) => said === base + own);
  }
}

// Counted in the fields as they came: those that Node has put together hide a second one.
function proofOf({ request: { rawHeaders } }: Exchange): string {
  let found: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'dpop') continue;
    if (found !== undefined) throw new ProofRefused('There is more than one DPoP proof.');
    found = rawHeaders[i + 1] ?? '';
  }
  if (found === undefined) throw new ProofRefused('There is no DPoP proof.');
  if (found.length > MAX_PROOF_LENGTH || !COMPACT.test(found)) throw malformed();
  return found;
}

function readProof(text: string, algorithms: readonly ProofAlgorithm[]): ReadProof {
  const [head = '', body = ''] = text.split('.', 2);
  const [header, claims] = [membersOf(head), membersOf(body)];
  const { typ, alg, jwk, crit } = header;
  if (typeof typ !== 'string' || typOf(typ) !== 'dpop+jwt' || crit !== undefined) throw malformed();
  const accepted = algorithms.find((one) => one === alg);
  if (accepted === undefined)
    throw new ProofRefused('The DPoP proof is signed with an algorithm that is not accepted.');
  if (!isMembers(jwk) || PRIVATE_MEMBERS.some((member) => member in jwk) || !isModest(jwk)) throw malformed();
  return { text, alg: accepted, jwk, claims };
}

function isModest({ kty, n, e }: Members): boolean {
  if (kty !== 'RSA') return kty === 'EC' || kty === 'OKP';
  return (
    typeof n === 'string' && n.length >= RSA_MODULUS.min && n.length <= RSA_MODULUS.max && e === RSA_EXPONENT
  );
}

function membersOf(part: string): Members {
  const value = parseJson(Buffer.from(part, 'base64url').toString());
  if (!isMembers(value)) throw malformed();
  return value;
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(): ProofRefused {
  return new ProofRefused('The DPoP proof is malformed.');
}
