import { once } from 'node:events';
import { Agent as ClearAgent, request as requestClear, type IncomingMessage } from 'node:http';
import { Agent as SecureAgent, request as requestSecure } from 'node:https';
import { PlainFault } from '../../telemetry/error-facts.ts';

const MAX_BYTES = 64 * 1024;
const CONNECTIONS = { keepAlive: true, maxSockets: 32, maxFreeSockets: 4, timeout: 30_000 } as const;

/** What a token endpoint has said: a status, and JSON if it was any. */
export interface EndpointAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A form to be sent, and how its sender shows who it is. */
export interface EndpointForm {
  readonly form: URLSearchParams;
  readonly authorization: string | undefined;
}

/** Speaks with the token endpoint of an issuer (RFC 6749 section 3.2), over connections of its own. */
export class TokenEndpoint {
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #isSecure: boolean;
  readonly #agent: ClearAgent;

  constructor(url: string, timeoutMs: number) {
    this.#url = url;
    this.#timeoutMs = timeoutMs;
    this.#isSecure = url.startsWith('https:');
    this.#agent = this.#isSecure ? new SecureAgent(CONNECTIONS) : new ClearAgent(CONNECTIONS);
  }

  /**
   * Sends a form. The answer may have 64 KiB.
   *
   * @throws {Error} when there is no answer in time, or one that is none; its message quotes nothing of either side.
   */
  async post({ form, authorization }: EndpointForm): Promise<EndpointAnswer> {
    const body = Buffer.from(form.toString());
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': body.length,
      accept: 'application/json',
      'accept-encoding': 'identity',
      ...(authorization === undefined ? {} : { authorization }),
    };
    const signal = AbortSignal.timeout(this.#timeoutMs);
    const request = this.#isSecure ? requestSecure : requestClear;
    const asking = request(this.#url, { method: 'POST', agent: this.#agent, signal, headers }).end(body);
    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    // What is cut off reports that here as well.
    asking.on('error', ignore);
    return { status: answer.statusCode ?? 0, body: jsonOf(await textOf(answer)) };
  }

  /** Ends connections that nobody uses. */
  close(): void {
    this.#agent.destroy();
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MAX_BYTES) throw new PlainFault(`the answer is larger than ${MAX_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

// The error of the parser would quote it.
function jsonOf(text: string): EndpointAnswer['body'] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as EndpointAnswer['body']) : {};
  } catch {
    return {};
  }
}

function ignore(): void {
  // The caller has already heard of it.
}
