import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { PlainFault } from '../../../telemetry/error-facts.ts';
import { answerOf, parseJson, send, wholeText } from '../tokens/fetched-document.ts';
import type { Claims } from '../tokens/token-principal.ts';
import type { ClientAuthentication } from './client-authentication.ts';
import { SIGNED_ANSWER, type SignedAnswers } from './signed-answers.ts';

/** The endpoint does not take the question, and says so: that is of the token, and no sign that the server is not well. */
export class QuestionRefused extends PlainFault {}

/** How the endpoint is asked. */
export interface EndpointDeps {
  /** Where it is. Rejects when that cannot be found out. */
  readonly url: (stop: AbortSignal) => string | Promise<string>;
  readonly client: ClientAuthentication;
  readonly answers: 'json' | 'signed' | 'either';
  readonly signed: SignedAnswers | undefined;
  readonly timeoutMs: number;
}

const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_CONNECTIONS = 64;
const WHAT = 'the answer of the introspection endpoint';
const JSON_TYPE = 'application/json';
const ACCEPT = {
  json: JSON_TYPE,
  signed: SIGNED_ANSWER,
  either: `${SIGNED_ANSWER}, ${JSON_TYPE};q=0.5`,
} as const;
/** What servers say of a token that is too long for them, or made of what they do not like. */
const OF_THE_QUESTION: ReadonlySet<number> = new Set([400, 413, 414, 422, 431]);
/** What a connection says that its server has closed while it was idle. */
const CLOSED = new Set(['ECONNRESET', 'EPIPE']);

/** Asks an authorization server about tokens (RFC 7662 section 2). Keeps connections. */
export class IntrospectionEndpoint {
  readonly #deps: EndpointDeps;
  readonly #clear = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS });
  readonly #secure = new SecureAgent({ keepAlive: true, maxSockets: MAX_CONNECTIONS });

  constructor(deps: EndpointDeps) {
    this.#deps = deps;
  }

  /**
   * Asks about a token, in the time that there is for it, and returns the members of the answer.
   *
   * @throws {Error} for anything but an answer of the form that is expected: nobody knows then.
   */
  async ask(token: string): Promise<Claims> {
    const stop = AbortSignal.timeout(this.#deps.timeoutMs);
    const url = await this.#deps.url(stop);
    const { authorization, form } = await this.#deps.client.show();
    const body = new URLSearchParams({ token, token_type_hint: 'access_token', ...form }).toString();
    const headers = {
      accept: ACCEPT[this.#deps.answers],
      'accept-encoding': 'identity',
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(Buffer.byteLength(body)),
      ...(authorization === undefined ? {} : { authorization }),
    };
    const answer = await this.#send(url, headers, body, stop);
    return this.#read(answer);
  }

  /** Ends the connections that are kept. */
  close(): void {
    this.#clear.destroy();
    this.#secure.destroy();
  }

  async #send(
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const agent = url.startsWith('https:') ? this.#secure : this.#clear;
    const asking = send(url, { method: 'POST', agent, signal, headers }, body);
    try {
      return await answerOf(asking);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      // The connection was kept, and closed by the other side just now: the question changes nothing, so it is asked again.
      if (!asking.reusedSocket || !CLOSED.has(code)) throw error;
      return answerOf(send(url, { method: 'POST', agent: false, signal, headers }, body));
    }
  }

  async #read(answer: IncomingMessage): Promise<Claims> {
    const { statusCode = 0, headers } = answer;
    if (statusCode !== 200) {
      answer.destroy();
      const Fault = OF_THE_QUESTION.has(statusCode) ? QuestionRefused : PlainFault;
      throw new Fault(statusFault(statusCode));
    }
    const text = await wholeText(answer, WHAT, MAX_ANSWER_BYTES);
    const isSigned = mediaTypeOf(headers['content-type']) === SIGNED_ANSWER;
    const { answers, signed } = this.#deps;
    // Fails closed: what was to be signed is not believed without, and what nobody can check is not believed either.
    if (answers === 'signed' && !isSigned) throw new PlainFault(`${WHAT} is not signed`);
    if (isSigned && (signed === undefined || answers === 'json'))
      throw new PlainFault(`${WHAT} is signed, and there are no keys for that`);
    const members = isSigned ? await signed?.read(text) : parseJson(text);
    if (!isAnswer(members)) throw new PlainFault(`${WHAT} does not say whether the token is active`);
    return members;
  }
}

function statusFault(status: number): string {
  // Not a word about the token: our own credentials are wrong (RFC 7662 section 2.3).
  if (status === 401 || status === 403)
    return `the introspection endpoint refuses the gateway with status ${status}: look at clientId and its secret`;
  return `${WHAT} has the status ${status}`;
}

function mediaTypeOf(field: string | undefined): string {
  return (field ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function isAnswer(value: unknown): value is Claims {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    typeof (value as Claims)['active'] === 'boolean'
  );
}
