import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Redis } from 'ioredis';
import { UnsecuredJWT } from 'jose';
import { identitySchema } from '../../src/policies/authentication/identity.schema.ts';
import { Identity } from '../../src/policies/authentication/identity.ts';
import { liftCookies } from '../../src/policies/authentication/login/lifted-cookies.ts';
import type { Session } from '../../src/policies/authentication/login/session.ts';
import type { SessionVerifier } from '../../src/policies/authentication/login/session.verifier.ts';
import { Problem } from '../../src/problems/problem.ts';
import { createExchange } from './exchange.ts';

export const OLD_KEY = 'the-older-secret-of-the-sessions.';
export const NEW_KEY = 'the-newest-secret-of-the-sessions';
/** Signs access tokens that say who calls. */
export const TOKEN_SECRET = 'a-secret-that-signs-access-tokens';

/** How the identity of a gateway differs. */
export interface DeskIdentity {
  readonly session?: Readonly<Record<string, unknown>>;
  readonly login?: Readonly<Record<string, unknown>>;
  /** More of the issuer whose access tokens say who calls. */
  readonly issuer?: Readonly<Record<string, unknown>>;
  readonly keys?: string;
  readonly redis?: Redis;
}

/** What a request with a session came to. */
export interface Seen {
  /** Who called, or the code of the problem. */
  readonly says: string;
  /** The cookie that the browser has then; empty for none. */
  readonly value: string;
}

/** A provider that only refreshes tokens, each refresh token once; and sessions at a time that stands still. */
export class SessionDesk {
  readonly issuer: string;
  /** The time, in ms since the epoch. */
  now = Date.now();
  /** How often tokens were asked for. */
  asked = 0;
  /** What an answer of the provider waits for. */
  hold: (request: number) => Promise<unknown> = () => Promise.resolve();
  accessToken: () => Promise<string> | string = () => `access-${this.asked}`;
  readonly #spent = new Set<string | null>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const token = new URLSearchParams(Buffer.concat(chunks).toString()).get('refresh_token');
      const [status, body] = request.url === '/token' ? await this.#refresh(token) : [200, this.#metadata()];
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  }

  static async start(): Promise<SessionDesk> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SessionDesk(server);
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  /** What `identity:` says. */
  options({ session, login, issuer }: DeskIdentity = {}): ReturnType<typeof identitySchema.parse> {
    return identitySchema.parse({
      revocation: {},
      issuers: [
        {
          issuer: this.issuer,
          audiences: ['api'],
          ...(issuer ?? { secretEnv: 'TOKEN_SECRET', algorithms: ['HS256'] }),
        },
      ],
      login: {
        issuer: this.issuer,
        clientId: 'gateway',
        publicOrigin: 'https://app.example.com',
        session: { keysEnv: 'SESSION_KEYS', ...session },
        ...login,
      },
    });
  }

  /** The identity of a gateway. */
  identity(differs: DeskIdentity = {}): Identity {
    const { keys = OLD_KEY, redis } = differs;
    return new Identity(this.options(differs), {
      redis,
      clock: () => this.now,
      environment: { SESSION_KEYS: keys, OTHER_KEYS: NEW_KEY, TOKEN_SECRET },
    });
  }

  /** Logs alice in. @returns her cookie. */
  async begin(identity: Identity, more: Partial<Session> = {}): Promise<string> {
    const tokens = { idToken: new UnsecuredJWT({ sub: 'alice' }).encode(), accessToken: 'access' };
    const expiresAt = this.now + 365 * 86_400_000;
    const times = { createdAt: this.now, usedAt: this.now, expiresAt, refreshAt: expiresAt };
    const refreshToken = `refresh-${crypto.randomUUID()}`;
    const session = {
      id: 'session',
      sid: undefined,
      sub: 'alice',
      ...tokens,
      refreshToken,
      ...times,
      ...more,
    };
    return sessionsOf(identity).login?.deps.store.begin(session) ?? '';
  }

  async #refresh(token: string | null): Promise<[number, object]> {
    this.asked += 1;
    const isSpent = this.#spent.has(token);
    this.#spent.add(token);
    await this.hold(this.asked);
    if (isSpent) return [400, { error: 'invalid_grant' }];
    const refresh = `refresh-${crypto.randomUUID()}`;
    const tokens = { access_token: await this.accessToken(), refresh_token: refresh };
    return [200, { ...tokens, token_type: 'Bearer', expires_in: 300 }];
  }

  #metadata(): object {
    return {
      issuer: this.issuer,
      token_endpoint: `${this.issuer}/token`,
      authorization_endpoint: `${this.issuer}/authorize`,
      jwks_uri: `${this.issuer}/jwks`,
      code_challenge_methods_supported: ['S256'],
    };
  }
}

/** The sessions of a gateway. */
export function sessionsOf(identity: Identity): SessionVerifier {
  return identity.verifier('session') as SessionVerifier;
}

/** A request of a page with a cookie. */
export function pageRequest(identity: Identity, value: string, headers: readonly string[] = []) {
  const { name } = sessionsOf(identity).login?.deps.cookies ?? { name: '' };
  const ours = headers.length === 0 ? ['sec-fetch-site', 'same-origin'] : headers;
  const exchange = createExchange({ headers: ['cookie', `${name}=${value}`, ...ours] });
  liftCookies(exchange.request, name);
  return exchange;
}

/** Asks with a cookie. */
export async function ask(identity: Identity, value: string, headers?: readonly string[]): Promise<Seen> {
  const exchange = pageRequest(identity, value, headers);
  let says: string;
  try {
    says = (await sessionsOf(identity).verify(exchange))?.id ?? 'nobody';
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    says = error.code;
  }
  return { says, value: cookieAfter(exchange.responseHeaders) ?? value };
}

/** What an answer sets the session's cookie to; empty where it removes it, undefined where it leaves it. */
export function cookieAfter(headers: readonly string[]): string | undefined {
  const [line] = headers.filter((text) => /^[\w-]+=/.test(text));
  return line && (/=([^;]*)/.exec(line)?.[1] ?? '');
}
