import { Logger } from '@nestjs/common';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  calculatePKCECodeChallenge,
  ClientSecretBasic,
  ClientSecretPost,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
  refreshTokenGrant,
  tokenRevocation,
  type Configuration,
  type TokenEndpointResponse,
  type TokenEndpointResponseHelpers,
} from 'openid-client';
import { errorName } from '../../../telemetry/error-facts.ts';
import type { Upkeep } from '../scheme.ts';
import { jwksFromDiscovery } from '../tokens/discovery-document.ts';
import { Jwks } from '../tokens/jwks.ts';
import type { KeySource } from '../tokens/signing-key.ts';
import { boundedFetch } from './bounded-fetch.ts';
import type { LoginOptions } from './login.schema.ts';
import type { Transaction } from './transactions.ts';

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
const KEYS_REFRESH_MS = 300_000;
const KEYS_COOLDOWN_MS = 10_000;

/** What the provider gave. */
export interface GrantedTokens {
  readonly idToken: string | undefined;
  /** Those of the ID token, verified. */
  readonly claims: Readonly<Record<string, unknown>> | undefined;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** How long the access token lives, in seconds; undefined where it is not said. */
  readonly expiresIn: number | undefined;
}

type Grant = TokenEndpointResponse & TokenEndpointResponseHelpers;

/**
 * The OpenID provider that browsers log in at. Its metadata is read in the background, so that a provider that is down keeps
 * no gateway from starting; whoever logs in meanwhile is told to come back.
 */
export class LoginProvider implements Upkeep {
  /** The keys that it signs with. */
  readonly keys: KeySource;
  readonly #options: LoginOptions;
  readonly #secret: string | undefined;
  readonly #log = new Logger('Login');
  #known: Configuration | undefined = undefined;
  #asking: Promise<Configuration> | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isStopped = true;

  constructor(options: LoginOptions, secret: string | undefined) {
    this.#options = options;
    this.#secret = secret;
    const { issuer } = options;
    const times = { refreshMs: KEYS_REFRESH_MS, cooldownMs: KEYS_COOLDOWN_MS };
    this.keys = new Jwks({ issuer, load: jwksFromDiscovery(issuer), ...times });
  }

  start(): void {
    this.#isStopped = false;
    this.keys.start();
    this.#retry(FIRST_RETRY_MS);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.keys.stop();
  }

  /** Where a log-in goes. Rejects when the provider is not known yet. */
  async authorizationUrl({ state, nonce, verifier }: Transaction): Promise<URL> {
    const { scopes, parameters } = this.#options;
    return buildAuthorizationUrl(await this.#provider(), {
      ...parameters,
      redirect_uri: this.redirectUri,
      scope: scopes.join(' '),
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
  }

  /** Where it sends browsers back to: as configured, whatever a request says of its host. */
  get redirectUri(): string {
    return this.#options.publicOrigin + this.#options.paths.callback;
  }

  /** Changes the code of a callback for tokens, whose ID token is verified. @param query of the callback. */
  async exchange(query: string, { state, nonce, verifier }: Transaction): Promise<GrantedTokens> {
    const url = new URL(this.redirectUri + query);
    const checks = {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    };
    return grantedBy(await authorizationCodeGrant(await this.#provider(), url, checks));
  }

  /** Gets new tokens. */
  async refresh(refreshToken: string): Promise<GrantedTokens> {
    return grantedBy(await refreshTokenGrant(await this.#provider(), refreshToken));
  }

  /** Where a log-out goes on; undefined where the provider has no such place, or is not known. */
  endSessionUrl(idToken: string): string | undefined {
    const { publicOrigin, paths } = this.#options;
    if (this.#known?.serverMetadata().end_session_endpoint === undefined) return undefined;
    const place = { id_token_hint: idToken, post_logout_redirect_uri: publicOrigin + paths.loggedOut };
    return buildEndSessionUrl(this.#known, place).href;
  }

  /** Gives a refresh token back, as far as the provider takes it; nobody waits for that. */
  revoke(refreshToken: string): void {
    if (this.#known?.serverMetadata().revocation_endpoint === undefined) return;
    tokenRevocation(this.#known, refreshToken, { token_type_hint: 'refresh_token' }).catch((error: unknown) =>
      this.#log.warn(`A refresh token could not be given back (${errorName(error)}).`),
    );
  }

  async #provider(): Promise<Configuration> {
    return this.#known ?? (this.#asking ??= this.#discover().finally(() => (this.#asking = undefined)));
  }

  async #discover(): Promise<Configuration> {
    const { issuer, clientId, timeout, pkce } = this.#options;
    const isClear = issuer.startsWith('http:');
    const found = await discovery(new URL(issuer), clientId, undefined, this.#authentication(), {
      timeout: timeout / 1000,
      [customFetch]: boundedFetch,
      execute: [...(isClear ? [allowInsecureRequests] : []), enableNonRepudiationChecks],
    });
    const metadata = found.serverMetadata();
    if (metadata.issuer !== issuer)
      throw new Error(
        `the provider spells itself ${JSON.stringify(metadata.issuer)}; identity.login.issuer has to be the same`,
      );
    // Fails closed (RFC 9700 section 2.1.1): who does not say that it checks the challenge may not.
    if (pkce === 'advertised' && !metadata.supportsPKCE('S256'))
      throw new Error('its metadata lists no S256; `pkce: unadvertised` accepts that');
    return (this.#known = found);
  }

  #authentication() {
    if (this.#secret === undefined) return None();
    return this.#options.clientAuthentication === 'post'
      ? ClientSecretPost(this.#secret)
      : ClientSecretBasic(this.#secret);
  }

  #retry(afterMs: number): void {
    this.#provider().catch((error: unknown) => {
      if (this.#isStopped) return;
      this.#log.warn(
        `The provider ${this.#options.issuer} cannot be asked (${Error.isError(error) ? error.message : 'unknown'}); nobody can log in.`,
      );
      this.#timer = setTimeout(() => this.#retry(Math.min(afterMs * 2, LONGEST_RETRY_MS)), afterMs).unref();
    });
  }
}

function grantedBy(grant: Grant): GrantedTokens {
  return {
    idToken: grant.id_token,
    claims: grant.claims(),
    accessToken: grant.access_token,
    refreshToken: grant.refresh_token,
    expiresIn: grant.expiresIn(),
  };
}
