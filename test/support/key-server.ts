import { createSecretKey, KeyObject, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import { freePort } from '../../src/listeners/free-port.ts';

/** A key pair and what a key set says of it. */
export interface TestKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: KeyObject;
  readonly publicJwk: JWK;
}

/** Makes a key pair of a random name. */
export async function createTestKey(algorithm = 'ES256', kid: string = randomUUID()): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' };
  return { kid, algorithm, privateKey: KeyObject.from(privateKey), publicJwk };
}

/** What a forged or unusual token says; members that are undefined are left out. */
export interface TokenSpec {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** Signs a token that is good for ten minutes unless its claims say otherwise. */
export function signToken(key: TestKey, issuer: string, { claims, header }: TokenSpec = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const payload = { iss: issuer, sub: 'alice', aud: 'api', iat: now, exp: now + 600, ...claims };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, ...header })
    .sign(key.privateKey, { crit: { 'x-critical': true } });
}

/** Signs a token with a shared secret, whatever that secret is. */
export function signWithSecret(secret: string, issuer: string, spec: TokenSpec = {}): Promise<string> {
  const privateKey = createSecretKey(secret, 'utf8');
  return signToken({ kid: 'none', algorithm: 'HS256', privateKey, publicJwk: {} }, issuer, spec);
}

/** A key set on a socket of its own, whose keys and behavior can be changed while it runs. */
export class KeyServer {
  /** The keys that it publishes. */
  keys: readonly JWK[] = [];
  /** How it answers instead of publishing keys; undefined to publish them. */
  answer: ((response: ServerResponse) => void) | undefined = undefined;
  /** How often it was asked. */
  requests = 0;
  #server: Server | undefined = undefined;
  #port: number | undefined = undefined;

  /** Starts on a free port, and on the same port when it was stopped before. */
  async start(): Promise<this> {
    const server = createServer((_request, response) => {
      this.requests += 1;
      if (this.answer !== undefined) this.answer(response);
      else response.end(JSON.stringify({ keys: this.keys }));
    });
    this.#port ??= await freePort();
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    return this;
  }

  /** The issuer whose keys these are. */
  get issuer(): string {
    return `http://127.0.0.1:${String(this.#port)}`;
  }

  /** Where the key set is. */
  get url(): string {
    return `${this.issuer}/jwks`;
  }

  /** Ends it and its connections; safe to call twice. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
}
