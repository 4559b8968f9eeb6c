import type { FakeAnswer } from '../../simulate/answers.schema.ts';
import { httpStandIn } from '../../simulate/http-stand-in.ts';
import type { Received, Upgrade } from '../../simulate/received.ts';
import { TestingError } from '../testing-error.ts';
import { Answers, type AnyAnswer, type Answering } from './fake-answer.ts';
import { acceptSocket, type Talk } from './fake-socket.ts';
import { FakeService } from './fake-service.ts';
import { pathPattern, type PathPattern } from './path-pattern.ts';

/** What a fake HTTP service answers. */
export interface HttpAnswer extends AnyAnswer {
  /** Default 200. */
  readonly status?: number;
  /** A text, or what is sent as JSON. Default none. */
  readonly body?: unknown;
}

/** What a fake HTTP service was asked. */
export interface HttpRequest {
  /** The target that it came to, as the configuration has it. */
  readonly target: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names; several fields of one name are one, with commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** As text. */
  readonly body: string;
  /** What the path says for the `{names}` of the pattern that took it. */
  readonly params: Readonly<Record<string, string>>;
  /** The body, parsed. @throws {TestingError} when it is no JSON. */
  json<Body = unknown>(): Body;
}

interface Rule {
  readonly pattern: PathPattern;
  readonly answers: Answers<HttpAnswer, HttpRequest>;
}

/** A fake HTTP service. What nothing was said of is answered with 501, and says so. */
export class FakeHttp extends FakeService<HttpRequest> {
  protected readonly scheme = 'http';
  #rules: Rule[] = [];
  #sockets: { readonly pattern: PathPattern; readonly talk: Talk }[] = [];

  /** Starts one on a free port. @param name what messages call it. @param targets what its targets are called; default one. */
  static start(name = 'http', targets?: readonly string[]): Promise<FakeHttp> {
    return new FakeHttp(name).start(httpStandIn, targets);
  }

  /**
   * Says what is answered, such as `on('GET /users/{id}', { body: { id: '7' } })`. Of several patterns that match, the one that
   * was said last counts.
   *
   * @throws {TestingError} for a pattern or an answer that makes no sense.
   */
  on(pattern: string, answer: Answering<HttpAnswer, HttpRequest>): this {
    const place = `${this.name}.on('${pattern}')`;
    this.#rules.unshift({ pattern: pathPattern(pattern), answers: new Answers(place, answer) });
    return this;
  }

  /**
   * Says who talks at a WebSocket, such as `onSocket('/chat', (socket) => socket.send('hello'))`. Its path is matched as that of
   * {@link on}; handshakes of no pattern are refused.
   */
  onSocket(pattern: string, talk: Talk): this {
    this.#sockets.unshift({ pattern: pathPattern(pattern), talk });
    return this;
  }

  override upgraded(one: Received, upgrade: Upgrade): void {
    const rule = this.#sockets.find(({ pattern }) => pattern.match(one.method, one.path) !== undefined);
    if (rule === undefined) upgrade.socket.end('HTTP/1.1 501 Not Implemented\r\ncontent-length: 0\r\n\r\n');
    else acceptSocket(upgrade, rule.talk, (error) => this.failed({ ...one }, error));
  }

  /** The requests that a pattern matches, in order; all of them without one. */
  requestsTo(pattern = '/*'): readonly HttpRequest[] {
    const { match } = pathPattern(pattern);
    return this.requests.filter((one) => match(one.method, targetOf(one)) !== undefined);
  }

  /** How often a pattern was asked for; without one, how often at all. */
  calls(pattern?: string): number {
    return this.requestsTo(pattern).length;
  }

  titleOf(request: HttpRequest): string {
    return `${request.method} ${targetOf(request)}`;
  }

  protected requestOf({ target, method, path, headers, body }: Received): HttpRequest {
    const [before = '', after] = path.split('?');
    const params = this.#ruleOf(method, path)?.pattern.match(method, path) ?? {};
    const json = <Body>(): Body => parsed(body, `${this.name}: the body of ${method} ${path}`) as Body;
    const query = new URLSearchParams(after);
    return { target, method, path: before, query, headers, body, params, json };
  }

  protected async answerTo(request: HttpRequest): Promise<FakeAnswer> {
    const target = targetOf(request);
    const rule = this.#ruleOf(request.method, target);
    if (rule !== undefined) return rule.answers.next(request);
    const known = this.#rules.map(({ pattern }) => pattern.text);
    const body = `the fake service ${this.name} has no answer for ${request.method} ${target}; it has ${known.join(', ') || 'none'}`;
    return { status: 501, headers: { 'content-type': 'text/plain' }, body, delay: 0 };
  }

  protected forget(): void {
    this.#rules = [];
    this.#sockets = [];
  }

  #ruleOf(method: string, target: string): Rule | undefined {
    return this.#rules.find(({ pattern }) => pattern.match(method, target) !== undefined);
  }
}

function targetOf({ path, query }: Pick<HttpRequest, 'path' | 'query'>): string {
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TestingError(`${what} is no JSON: ${text.slice(0, 200)}`);
  }
}
