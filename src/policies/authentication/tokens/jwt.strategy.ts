import type { KeyObject } from 'node:crypto';
import { PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import { Strategy, type SecretOrKeyProvider } from 'passport-jwt';
import type { Principal } from '../../../exchange/principal.ts';
import { Problem } from '../../../problems/problem.ts';
import { PlainFault } from '../../../telemetry/error-facts.ts';
import type { IssuerOptions } from '../identity.schema.ts';
import { principalOf, type Claims } from './token-principal.ts';
import { refused, type Clock } from '../verifier.ts';

/** A token and the key that its header chose. */
export interface PresentedToken {
  readonly text: string;
  readonly key: KeyObject;
}

/** What passport adds to a strategy for the time of one authentication. */
interface PassportAttempt {
  success: (principal: Principal) => void;
  fail: (reason: unknown) => void;
  error: (reason: unknown) => void;
  authenticate(presented: PresentedToken): void;
}

/**
 * Verifies the tokens of one issuer: signature, algorithm, issuer and audience by passport-jwt; time and
 * subject here, because they follow a clock that tests can set.
 */
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  readonly #issuer: IssuerOptions;
  readonly #clock: Clock;
  readonly #isRevocable: boolean;

  /** @param isRevocable whether its tokens can be revoked before they expire. */
  constructor(issuer: IssuerOptions, clock: Clock = Date.now, isRevocable = false) {
    super({
      jwtFromRequest: (presented: PresentedToken) => presented.text,
      secretOrKeyProvider: keyOfPresented,
      issuer: issuer.issuer,
      audience: issuer.audiences,
      algorithms: issuer.algorithms,
      ignoreExpiration: true,
      jsonWebTokenOptions: { ignoreNotBefore: true },
    });
    this.#issuer = issuer;
    this.#clock = clock;
    this.#isRevocable = isRevocable;
  }

  /** Runs the strategy once, the way passport does, without a request. Rejects with a problem. */
  verify(presented: PresentedToken): Promise<Principal> {
    return new Promise((resolve, reject) => {
      const attempt: PassportAttempt = Object.create(this);
      attempt.success = resolve;
      attempt.fail = (reason) => reject(refused('The token was refused.', plainly(reason)));
      attempt.error = (reason) => reject(asRefusal(reason));
      try {
        attempt.authenticate(presented);
      } catch (error) {
        reject(asRefusal(error)); // A token can be odd in ways that the library does not expect.
      }
    });
  }

  /** Called by the strategy with the claims of a token whose signature, issuer and audience are right. */
  validate(claims: Claims): Principal {
    const { exp, nbf } = claims;
    const nowMs = this.#clock();
    if (typeof exp !== 'number') throw refused('The token has no expiry.');
    if (nowMs >= exp * 1000 + this.#issuer.clockSkew) {
      throw new Problem('credentials-expired', { detail: 'The token has expired.' });
    }
    if (nbf !== undefined && !(typeof nbf === 'number' && nbf * 1000 <= nowMs + this.#issuer.clockSkew)) {
      throw refused('The token is not valid yet.');
    }
    return principalOf(claims, this.#issuer.claims, this.#issuer.idPrefix, this.#isRevocable);
  }

  /** Keeps the strategy out of passport's process-wide registry: there are several, and they are replaced. */
  getPassportInstance(): passport.Authenticator {
    return new passport.Passport();
  }
}

/** The typings of passport-jwt are older than key objects, which its verifier takes. */
const keyOfPresented = ((
  presented: PresentedToken,
  _text: unknown,
  done: (error: null, key: KeyObject) => void,
) => done(null, presented.key)) as unknown as SecretOrKeyProvider;

function asRefusal(reason: unknown): Problem {
  return reason instanceof Problem ? reason : refused('The token was refused.', plainly(reason));
}

/** What the library says of tokens in words that hold nothing of the token. */
const PLAIN_REASONS =
  /^(?:jwt malformed|jwt (?:audience|issuer) invalid|invalid (?:signature|algorithm|token))/;

function plainly(reason: unknown): unknown {
  const [words] = reason instanceof Error ? (PLAIN_REASONS.exec(reason.message) ?? []) : [];
  return words === undefined ? reason : new PlainFault(words, { cause: reason });
}
