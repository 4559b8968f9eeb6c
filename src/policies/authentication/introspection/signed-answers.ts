import { compactVerify, decodeProtectedHeader } from 'jose';
import { PlainFault } from '../../../telemetry/error-facts.ts';
import type { JwtAlgorithm } from '../identity.schema.ts';
import { typOf } from '../tokens/compact-token.ts';
import { parseJson } from '../tokens/fetched-document.ts';
import type { KeySource } from '../tokens/signing-key.ts';
import type { Clock } from '../verifier.ts';

/** The media type of a signed answer (RFC 9701 section 5). */
export const SIGNED_ANSWER = 'application/token-introspection+jwt';

/** By what signed answers are checked. */
export interface SignedAnswerRules {
  readonly keys: KeySource;
  readonly algorithms: readonly JwtAlgorithm[];
  readonly issuer: string;
  /** The gateway at the authorization server. */
  readonly clientId: string;
  readonly clockSkew: number;
  readonly clock: Clock;
}

const TYP = typOf(SIGNED_ANSWER);
/** An answer is made for the question, so an older one is somebody's recording. */
const LONGEST_WAY_MS = 60_000;
const WHAT = 'the signed answer of the introspection endpoint';

/** Checks signed answers (RFC 9701 section 5). */
export class SignedAnswers {
  readonly #rules: SignedAnswerRules;

  constructor(rules: SignedAnswerRules) {
    this.#rules = rules;
  }

  /**
   * Returns what an answer says of the token.
   *
   * @throws {Error} for one that is not signed by the issuer, for us, just now.
   */
  async read(text: string): Promise<unknown> {
    const { typ, alg, kid } = headerOf(text);
    // Nothing else that the issuer signs is an answer (RFC 8725 section 3.11).
    if (typeof typ !== 'string' || typOf(typ) !== TYP) throw new PlainFault(`${WHAT} is of another type`);
    const algorithm = this.#rules.algorithms.find((one) => one === alg);
    if (algorithm === undefined)
      throw new PlainFault(`${WHAT} is signed with an algorithm that is not accepted`);
    const key = await this.#rules.keys.find(kid, algorithm);
    if (key === undefined) throw new PlainFault(`${WHAT} is signed with an unknown key`);
    const { payload } = await compactVerify(text, key.object, { algorithms: [algorithm] });
    return this.#answerOf(parseJson(Buffer.from(payload).toString()));
  }

  #answerOf(claims: unknown): unknown {
    if (typeof claims !== 'object' || claims === null) throw new PlainFault(`${WHAT} is no object`);
    const { iss, aud, iat, exp, token_introspection: answer } = claims as Readonly<Record<string, unknown>>;
    const { issuer, clientId, clockSkew, clock } = this.#rules;
    if (iss !== issuer) throw new PlainFault(`${WHAT} is of another issuer`);
    if (![aud].flat().includes(clientId)) throw new PlainFault(`${WHAT} is for another client`);
    const now = clock();
    const ageMs = typeof iat === 'number' ? now - iat * 1000 : Infinity;
    if (ageMs > LONGEST_WAY_MS + clockSkew || ageMs < -clockSkew - 1000)
      throw new PlainFault(`${WHAT} was not made just now`);
    // It is to have none, so that it cannot be taken for a token (section 8.1); one that has must hold.
    if (exp !== undefined && !(typeof exp === 'number' && now < exp * 1000 + clockSkew))
      throw new PlainFault(`${WHAT} has expired`);
    return answer;
  }
}

function headerOf(text: string): ReturnType<typeof decodeProtectedHeader> {
  try {
    return decodeProtectedHeader(text);
  } catch {
    // Not what the error says: that could quote it.
    throw new PlainFault(`${WHAT} is malformed`);
  }
}
