import { createServer } from 'node:http';
import { listening, type StandIn } from './http-stand-in.ts';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const LIFE_S = 300;

/** Plays the authorization server: it knows the tokens of the tests, and gives services a token for any other. */
export class AuthorizationServer {
  readonly #claims = new Map<string, Readonly<Record<string, unknown>>>();
  #standIn: StandIn | undefined = undefined;

  /** Has it listen. @returns host and port. */
  async listen(): Promise<string> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.once('end', () => {
        const form = new URLSearchParams(Buffer.concat(chunks).toString());
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(request.url === '/introspect' ? this.#said(form) : given()));
      });
    });
    this.#standIn = await listening(server, () => server.closeAllConnections());
    return this.#standIn.authority;
  }

  /** Knows a token from now on. */
  knows(token: string, claims: Readonly<Record<string, unknown>>): void {
    this.#claims.set(token, claims);
  }

  /** Ends it. */
  async close(): Promise<void> {
    await this.#standIn?.listens(false);
  }

  // RFC 7662 section 2.2.
  #said(form: URLSearchParams): object {
    const claims = this.#claims.get(form.get('token') ?? '');
    return claims === undefined ? { active: false } : { active: true, token_type: 'Bearer', ...claims };
  }
}

// RFC 8693 section 2.2.1.
function given(): object {
  const about = { issued_token_type: ACCESS_TOKEN, token_type: 'Bearer', expires_in: LIFE_S };
  return { access_token: 'simulated', ...about };
}
