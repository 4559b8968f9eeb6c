import type { Principal } from '../../../exchange/principal.ts';
import { Problem } from '../../../problems/problem.ts';
import { PlainFault } from '../../../telemetry/error-facts.ts';
import { principalOf, type Claims } from '../tokens/token-principal.ts';
import { refused } from '../verifier.ts';
import type { IntrospectionOptions } from './introspection.schema.ts';

/** By what answers are read. */
export interface AnswerRules {
  readonly options: Pick<
    IntrospectionOptions,
    'issuer' | 'clientId' | 'audiences' | 'tokenType' | 'claims' | 'idPrefix' | 'clockSkew'
  >;
  /** The longest life of a token, in ms; undefined where tokens cannot be revoked here. */
  readonly longestMs: number | undefined;
}

/** Whose an active token is. */
export interface ActiveToken {
  readonly principal: Principal;
  /** When it expires, in ms since the epoch; `Infinity` where nobody says. */
  readonly expiresAt: number;
}

/** What an access token may be (RFC 6749 section 7.1; RFC 9449 section 5). */
const TOKEN_TYPES: ReadonlySet<unknown> = new Set(['bearer', 'dpop']);
/** What some servers say in members of their own of tokens that are none to call with: refresh and ID tokens. */
const OTHER_USE = /refresh|offline|^id(?:_token)?$/i;

/**
 * Reads what the authorization server says of a token, and checks all that it may have left to us (RFC 7662 section 4).
 *
 * @param now in ms since the epoch.
 * @throws {Problem} `credentials-invalid` or `credentials-expired`.
 */
export function readAnswer(answer: Claims, { options, longestMs }: AnswerRules, now: number): ActiveToken {
  if (answer['active'] !== true) throw refused('The token is not active.');
  const reason = faultOf(answer, options, now);
  // One text for all of them; the log says which.
  if (reason !== undefined) throw refused('The token was refused.', new PlainFault(reason));
  const { exp } = answer;
  const expiresAt = typeof exp === 'number' ? exp * 1000 : Infinity;
  if (now >= expiresAt + options.clockSkew)
    throw new Problem('credentials-expired', { detail: 'The token has expired.' });
  refuseOutliving(answer, expiresAt, longestMs, now);
  // An answer of the issuer that does not name it is of the issuer all the same.
  const claims = { ...(options.issuer !== undefined && { iss: options.issuer }), ...answer };
  const { claims: names, idPrefix } = options;
  return {
    principal: principalOf(claims, names, idPrefix, longestMs !== undefined, 'introspection'),
    expiresAt,
  };
}

function faultOf(answer: Claims, options: AnswerRules['options'], now: number): string | undefined {
  const { iss, exp, nbf } = answer;
  if (iss !== undefined && iss !== (options.issuer ?? iss)) return 'the token is of another issuer';
  if (!isForUs(answer['aud'], options)) return 'the token is for another audience';
  if (exp !== undefined && !Number.isFinite(exp)) return 'the expiry of the token is no number';
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf * 1000 <= now + options.clockSkew))
    return 'the token is not valid yet';
  return typeFault(answer, options.tokenType);
}

function isForUs(aud: unknown, { audiences, clientId }: AnswerRules['options']): boolean {
  // An endpoint that we have an account at answers for us; what it says of the audience has to fit that.
  if (aud === undefined) return audiences === undefined;
  const accepted = audiences ?? [clientId];
  return [aud].flat().some((one) => accepted.includes(one as string));
}

function typeFault(answer: Claims, tokenType: 'required' | 'optional'): string | undefined {
  const { token_type: type, token_use: use, typ, cnf } = answer;
  if (type === undefined && tokenType === 'required')
    return 'the answer has no token_type, which identity.introspection.tokenType requires';
  const lower = typeof type === 'string' ? type.toLowerCase() : type;
  if (type !== undefined && !TOKEN_TYPES.has(lower)) return 'the token is of a type that is not accepted';
  if ([use, typ].some((one) => typeof one === 'string' && OTHER_USE.test(one)))
    return 'the token is not to call with';
  // Fails closed: it is bound, and nobody says to what.
  if (lower === 'dpop' && cnf === undefined) return 'the token is bound to a key that is not named';
  return undefined;
}

// Fails closed: a revocation would be forgotten before the token expires.
function refuseOutliving(
  { iat }: Claims,
  expiresAt: number,
  longestMs: number | undefined,
  now: number,
): void {
  const beganMs = typeof iat === 'number' ? iat * 1000 : now;
  if (longestMs === undefined || expiresAt - beganMs <= longestMs) return;
  throw refused('The token lives longer than revocations are kept.');
}
