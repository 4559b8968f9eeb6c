import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import { parseObject, readText } from './http-body.ts';
import { HttpError, json, type Reply } from './http-routes.ts';
import { SampleLogin } from './identity-login.ts';
import { HttpService } from './http-service.ts';
import { PEOPLE } from './people.ts';
import type { ServiceOptions } from './sample-service.ts';

const LIFETIME_S = 15 * 60;
/** Whom tokens are made for: the user id and the tenant. */
const SUBJECTS = {
  admin: { id: '1', tenant: 'acme' },
  user: { id: '2', tenant: 'acme' },
  guest: { id: '3', tenant: 'globex' },
} as const;

const PEOPLE_WHO_LOG_IN = { admin: 'Ada, an admin', user: 'Bob, a user', guest: 'Eve, a guest' } as const;

/** A sample user that tokens can be made for. */
export type TokenUser = keyof typeof SUBJECTS;
/** An algorithm that the issuer signs with. */
export type TokenAlgorithm = 'RS256' | 'ES256';

/** How a token is signed. */
export interface TokenHeader {
  /** `RS256` by default. */
  readonly alg?: TokenAlgorithm;
  /** A `kid` to claim instead of the signing key's, for tests of keys that nobody knows. */
  readonly kid?: string;
  /** What the token says it is; `JWT` by default. */
  readonly typ?: string;
}

/** How the issuer is started. */
export interface IdentityOptions extends ServiceOptions {
  /** The `iss` of its tokens; its own url by default. */
  readonly issuer?: string;
}

/** The issuer: serves `/jwks` and `/token`, and makes tokens for whoever started it. */
export interface IdentityService extends HttpService {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  /**
   * Makes a token that is valid for 15 minutes. `claims` replace the usual ones, `undefined` leaves one
   * out; times are seconds since 1970.
   */
  token(user: TokenUser, claims?: JWTPayload, header?: TokenHeader): Promise<string>;
  /** Makes new keys with new `kid`s and drops the old ones from `/jwks`. */
  rotate(): Promise<void>;
  /** What ID tokens say besides, for tests. */
  idTokenClaims: JWTPayload;
}

interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}
type SigningKeys = Readonly<Record<TokenAlgorithm, SigningKey>>;

/**
 * Starts the issuer: `GET /jwks`, and `POST /token` with `{ user: 'admin' | 'user' | 'guest' }` as JSON or
 * form; and log-in by OpenID Connect for browsers. It asks for no password: it is for demo and tests only.
 *
 * @throws {Error} naming service and port when the port is taken.
 */
export async function startIdentity(options: IdentityOptions = {}): Promise<IdentityService> {
  let keys = await makeKeys();
  let jwks = jwksReply(keys);
  const login = new SampleLogin<TokenUser>({
    issuer: () => issuer(),
    people: PEOPLE_WHO_LOG_IN,
    accessToken: (user) => sign(user),
    idToken: (user, claims) => sign(user, { ...claims, ...made.idTokenClaims }),
    lifetimeS: LIFETIME_S,
  });
  const service: HttpService = new HttpService('identity', options, [
    { method: 'GET', path: '/jwks', handle: () => jwks },
    {
      method: 'POST',
      path: '/token',
      handle: async ({ request }) => {
        const body = await readText(request);
        const granted = await login.grant(new URLSearchParams(body), request.headers.authorization);
        return granted ?? tokenReply(await sign(userIn(body)));
      },
    },
    ...login.routes,
  ]);
  const issuer = (): string => options.issuer ?? service.url;
  const sign: IdentityService['token'] = (user, claims = {}, header = {}) => {
    const { kid, privateKey } = keys[header.alg ?? 'RS256'];
    return new SignJWT({ ...claimsOf(user), iss: issuer(), ...claims })
      .setProtectedHeader({ typ: header.typ ?? 'JWT', alg: header.alg ?? 'RS256', kid: header.kid ?? kid })
      .sign(privateKey);
  };
  const rotate = async (): Promise<void> => {
    keys = await makeKeys();
    jwks = jwksReply(keys);
  };
  await service.start();
  const made: IdentityService = Object.assign(service, {
    token: sign,
    rotate,
    issuer: issuer(),
    idTokenClaims: {},
  });
  return made;
}

function claimsOf(user: TokenUser): JWTPayload {
  const { id, tenant } = SUBJECTS[user];
  const { email, roles, tier } = PEOPLE.find((person) => person.id === id) ?? {};
  const now = Math.floor(Date.now() / 1000);
  return {
    sub: id,
    email,
    roles,
    tid: tenant,
    tier,
    jti: randomUUID(),
    aud: 'api',
    iat: now,
    exp: now + LIFETIME_S,
  };
}

async function makeKeys(): Promise<SigningKeys> {
  const [RS256, ES256] = await Promise.all([makeKey('RS256'), makeKey('ES256')]);
  return { RS256, ES256 };
}

async function makeKey(alg: TokenAlgorithm): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const kid = `${alg.toLowerCase()}-${randomUUID().slice(0, 8)}`;
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

function jwksReply(keys: SigningKeys): Reply {
  return json(200, { keys: [keys.RS256.publicJwk, keys.ES256.publicJwk] }, ['Cache-Control', 'max-age=300']);
}

function tokenReply(token: string): Reply {
  const answer = { access_token: token, token_type: 'Bearer', expires_in: LIFETIME_S };
  return json(200, answer, ['Cache-Control', 'no-store']);
}

function userIn(body: string): TokenUser {
  const user = body.trimStart().startsWith('{')
    ? parseObject(body)['user']
    : new URLSearchParams(body).get('user');
  if (typeof user === 'string' && Object.hasOwn(SUBJECTS, user)) return user as TokenUser;
  throw new HttpError(400, `user: one of ${Object.keys(SUBJECTS).join(', ')} is expected`);
}
