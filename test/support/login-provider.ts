import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

/** What the gateway is called at the provider, and its secret there. */
export const CLIENT = { id: 'gateway', secret: 'a-secret-for-tests-only' } as const;

/** Where browsers and the provider find the gateway. */
export interface ClientPlaces {
  readonly callback: string;
  readonly loggedOut: string;
  readonly backChannel?: string;
}

/** An OpenID provider that people log in at. */
export class LoginProvider {
  readonly issuer: string;
  /** Signs what the provider signs with. */
  readonly key: KeyObject;
  /** Who logs in without being asked; undefined shows a form. */
  user: string | undefined = 'bob';
  /** What an access token lives, in seconds. */
  lifeS = 600;
  /** More claims of everybody. */
  claims: Readonly<Record<string, unknown>> = {};
  /** Stands in for an answer of the provider; undefined lets that answer. */
  fault: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined = undefined;
  /** Grant types of requests of tokens so far. */
  readonly asked: string[] = [];
  /** Why a gateway has not heard of a log-out. */
  readonly untold: unknown[] = [];
  readonly #server: Server;
  #provider: RequestListener = (_request, response) => response.writeHead(503).end();

  private constructor(port: number, server: Server) {
    this.issuer = `http://127.0.0.1:${String(port)}`;
    this.key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    this.#server = server;
    server.on('request', (request, response) => void this.#handle(request, response));
  }

  /** Listens on a free port; {@link offer} makes it answer. */
  static async start(): Promise<LoginProvider> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LoginProvider((server.address() as AddressInfo).port, server);
  }

  /** Knows the gateway from now on. */
  offer(places: ClientPlaces): void {
    const provider: Provider = new Provider(
      this.issuer,
      configurationOf(this, places, () => provider),
    );
    provider.on('backchannel.error', (_context, error) => this.untold.push((error as Error).cause ?? error));
    const callback = provider.callback();
    this.#provider = (request, response) => {
      if (request.url?.startsWith('/interaction/') !== true) return callback(request, response);
      const user = this.user ?? new URL(request.url, this.issuer).searchParams.get('user');
      if (user === null) return void response.setHeader('content-type', 'text/html').end(FORM);
      void provider.interactionFinished(request, response, { login: { accountId: user } });
    };
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.fault?.(request, response) === true) return;
    if (request.url === '/token') {
      // Read here and given on, because the provider reads a body that was read before from there.
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      this.asked.push(new URLSearchParams(text).get('grant_type') ?? '');
      Object.assign(request, { body: Object.fromEntries(new URLSearchParams(text)) });
    }
    this.#provider(request, response);
  }
}

interface OidcSession {
  readonly accountId: string;
  grantIdFor(client: string): string | undefined;
}

const FORM = `<!doctype html><title>Log in</title><form><button name="user" value="bob">Bob</button></form>`;

/**
 * Its own patience with those whom it tells of a log-out is 2.5 s, which a busy machine may need. Its dispatcher refuses
 * the loopback, if an earlier suite of this process has used `fetch`.
 */
function patiently(url: string, options: RequestInit): Promise<Response> {
  return fetch(url, {
    ...options,
    dispatcher: undefined,
    signal: AbortSignal.timeout(15_000),
  } as RequestInit);
}

function configurationOf(
  holder: LoginProvider,
  { callback, loggedOut, backChannel }: ClientPlaces,
  provider: () => Provider,
): object {
  const jwk = { ...holder.key.export({ format: 'jwk' }), alg: 'ES256', kid: 'k', use: 'sig' };
  return {
    jwks: { keys: [jwk] },
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: [callback],
        post_logout_redirect_uris: [loggedOut],
        id_token_signed_response_alg: 'ES256',
        ...(backChannel === undefined
          ? {}
          : { backchannel_logout_uri: backChannel, backchannel_logout_session_required: true }),
      },
    ],
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    scopes: ['openid', 'offline_access'],
    claims: { openid: ['sub', 'sid', 'roles', 'email', 'pad'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['not-a-secret'] },
    fetch: (url: string, options: RequestInit) =>
      // As providers do, it tells again what broke off unanswered: its agent may take up a connection that has just ended.
      patiently(url, options).catch(() => patiently(url, options)),
    rotateRefreshToken: true,
    issueRefreshToken: () => true,
    ttl: {
      AccessToken: () => holder.lifeS,
      RefreshToken: 3600,
      Session: 3600,
      Interaction: 60,
      Grant: 3600,
      IdToken: 600,
    },
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, roles: ['user'], email: `${id}@example.com`, ...holder.claims }),
    }),
    async loadExistingGrant({ oidc }: { oidc: { session: OidcSession } }) {
      const { Grant } = provider();
      const known = oidc.session.grantIdFor(CLIENT.id);
      if (known !== undefined) return Grant.find(known);
      const grant = new Grant({ clientId: CLIENT.id, accountId: oidc.session.accountId });
      grant.addOIDCScope('openid offline_access');
      await grant.save();
      return grant;
    },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
  };
}
