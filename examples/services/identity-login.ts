import { createHash, randomUUID } from 'node:crypto';
import { HttpError, json, type HttpRoute, type Reply } from './http-routes.ts';

/** What an application is called at the issuer, and its secret: whoever shows them gets tokens. For a demo only. */
export const SAMPLE_CLIENT = { id: 'gatehouse', secret: 'not-a-secret-in-a-demo' } as const;

/** What the issuer signs for people who log in. */
export interface LoginSigner<User extends string> {
  readonly issuer: () => string;
  /** Names of people as they are shown. */
  readonly people: Readonly<Record<User, string>>;
  accessToken(user: User): Promise<string>;
  idToken(user: User, claims: Readonly<Record<string, unknown>>): Promise<string>;
  readonly lifetimeS: number;
}

/** Somebody who has logged in, and is to get tokens. */
interface Grant<User> {
  readonly user: User;
  readonly sid: string;
  readonly nonce: string | undefined;
  readonly redirectUri: string;
  readonly challenge: string;
}

const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?\//;

/** Log-in by OpenID Connect, as far as the demo needs it: who you are is a choice, not a question. */
export class SampleLogin<User extends string> {
  readonly #signer: LoginSigner<User>;
  readonly #codes = new Map<string, Grant<User>>();
  readonly #refreshTokens = new Map<string, Grant<User>>();

  constructor(signer: LoginSigner<User>) {
    this.#signer = signer;
  }

  /** What it answers, besides requests of tokens. */
  get routes(): HttpRoute[] {
    return [
      { method: 'GET', path: '/.well-known/openid-configuration', handle: () => json(200, this.#metadata()) },
      {
        method: 'GET',
        path: '/authorize',
        handle: ({ query }) => this.#authorize(new URLSearchParams(query)),
      },
      { method: 'GET', path: '/end-session', handle: ({ query }) => ended(new URLSearchParams(query)) },
    ];
  }

  /**
   * Answers a request of tokens; undefined for one of another kind.
   *
   * @param authorization the field of the request.
   */
  async grant(form: URLSearchParams, authorization: string | undefined): Promise<Reply | undefined> {
    const type = form.get('grant_type');
    if (type !== 'authorization_code' && type !== 'refresh_token') return undefined;
    const shown = Buffer.from(authorization?.replace(/^Basic /i, '') ?? '', 'base64').toString();
    // Encoded as a form (RFC 6749 section 2.3.1).
    if (decodeURIComponent(shown) !== `${SAMPLE_CLIENT.id}:${SAMPLE_CLIENT.secret}`)
      return json(401, { error: 'invalid_client' });
    const grant = type === 'refresh_token' ? this.#refreshed(form) : this.#exchanged(form);
    return grant === undefined ? json(400, { error: 'invalid_grant' }) : this.#tokens(grant);
  }

  #metadata(): object {
    const issuer = this.#signer.issuer();
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      end_session_endpoint: `${issuer}/end-session`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
    };
  }

  #authorize(query: URLSearchParams): Reply {
    const redirectUri = query.get('redirect_uri') ?? '';
    const challenge = query.get('code_challenge') ?? '';
    if (query.get('client_id') !== SAMPLE_CLIENT.id || !LOOPBACK.test(redirectUri) || challenge === '')
      throw new HttpError(400, 'expected client_id, a redirect_uri of this machine, and a code_challenge');
    const user = query.get('user');
    if (user === null || !Object.hasOwn(this.#signer.people, user)) return this.#page(query);
    const code = randomUUID();
    const nonce = query.get('nonce') ?? undefined;
    this.#codes.set(code, { user: user as User, sid: randomUUID(), nonce, redirectUri, challenge });
    const to = new URL(redirectUri);
    to.searchParams.set('code', code);
    to.searchParams.set('state', query.get('state') ?? '');
    return sentTo(to.href);
  }

  #page(query: URLSearchParams): Reply {
    const links = Object.entries<string>(this.#signer.people).map(([user, name]) => {
      const there = new URLSearchParams([...query, ['user', user]]).toString().replaceAll('&', '&amp;');
      return `<li><a href="/authorize?${there}">${name}</a></li>`;
    });
    const body = Buffer.from(PAGE.replace('{people}', links.join('\n')));
    return {
      status: 200,
      headers: ['Content-Type', 'text/html; charset=utf-8', 'Cache-Control', 'no-store'],
      body,
    };
  }

  #exchanged(form: URLSearchParams): Grant<User> | undefined {
    const code = form.get('code') ?? '';
    const grant = this.#codes.get(code);
    this.#codes.delete(code);
    const proven = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const isRight = grant?.challenge === proven && grant.redirectUri === form.get('redirect_uri');
    return isRight ? grant : undefined;
  }

  // Good once: the next one comes with the new tokens.
  #refreshed(form: URLSearchParams): Grant<User> | undefined {
    const token = form.get('refresh_token') ?? '';
    const grant = this.#refreshTokens.get(token);
    this.#refreshTokens.delete(token);
    return grant && { ...grant, nonce: undefined };
  }

  async #tokens(grant: Grant<User>): Promise<Reply> {
    const { accessToken, idToken, lifetimeS } = this.#signer;
    const { user, sid, nonce } = grant;
    const refreshToken = randomUUID();
    this.#refreshTokens.set(refreshToken, grant);
    const answer = {
      access_token: await accessToken(user),
      id_token: await idToken(user, {
        aud: SAMPLE_CLIENT.id,
        sid,
        ...(nonce === undefined ? {} : { nonce }),
      }),
      refresh_token: refreshToken,
      token_type: 'Bearer',
      expires_in: lifetimeS,
    };
    return json(200, answer, ['Cache-Control', 'no-store']);
  }
}

function ended(query: URLSearchParams): Reply {
  const to = query.get('post_logout_redirect_uri') ?? '';
  if (!LOOPBACK.test(to)) throw new HttpError(400, 'expected a post_logout_redirect_uri of this machine');
  return sentTo(to);
}

function sentTo(to: string): Reply {
  return { status: 302, headers: ['Location', to, 'Cache-Control', 'no-store'], body: Buffer.alloc(0) };
}

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>Log in · the sample provider</title>
    <link rel="icon" href="data:," />
    <style>
      body { font: 1rem/1.5 system-ui, sans-serif; max-width: 24rem; margin: 15vh auto; padding: 0 1rem; }
      ul { list-style: none; padding: 0; }
      a { display: block; padding: 0.75rem 1rem; margin: 0.5rem 0; border: 1px solid; border-radius: 0.5rem; }
    </style>
  </head>
  <body>
    <h1>Who are you?</h1>
    <p>The sample provider asks for no password: it is for the demo only.</p>
    <ul>
{people}
    </ul>
  </body>
</html>
`;
