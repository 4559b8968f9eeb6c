import type { IncomingHttpHeaders } from 'node:http';
import { httpFault } from '../http/http-faults.ts';
import type { AnswerReader } from '../transport/answer-reader.ts';
import { Http1Pool, type Http1PoolOptions } from '../transport/http1/http1-pool.ts';
import type { ActiveOptions } from './health.schema.ts';
import { bad, GOOD, type Probe, type ProbeDone } from './probe.ts';

/** What is looked at of a body. */
const MAX_BODY_BYTES = 65_536;

/** What an answer over HTTP has to be like. */
export type HttpExpectation = Pick<ActiveOptions, 'method' | 'headers' | 'status' | 'body'> & {
  readonly path: string;
  /** Name that is asked for; undefined for the target's own. */
  readonly host: string | undefined;
};

/** Asks over HTTP/1.1, over a connection of its own: those of requests may all be in use when it matters most. */
export class HttpProbe implements Probe {
  readonly #options: Http1PoolOptions;
  readonly #expected: HttpExpectation;
  readonly #fields: readonly string[];
  #pool: Http1Pool | undefined = undefined;

  constructor(options: Http1PoolOptions, expected: HttpExpectation) {
    this.#options = { ...options, maxConnections: 1 };
    this.#expected = expected;
    this.#fields = ['user-agent', 'gatehouse', 'accept-encoding', 'identity'].concat(
      Object.entries(expected.headers).flat(),
    );
  }

  ask(done: ProbeDone): () => void {
    const { method, path, host } = this.#expected;
    this.#pool ??= new Http1Pool(this.#options);
    const reader = new ProbeReader(this.#expected, done);
    const request = { method, path, host, fields: this.#fields, body: null, isIdempotent: true };
    const call = this.#pool.send(request, reader, MAX_BODY_BYTES);
    return () => call.abandon();
  }

  renew(): void {
    this.#pool?.close();
    this.#pool = undefined;
  }

  close(): void {
    this.renew();
  }
}

/** Reads as much of an answer as tells whether it is good. */
class ProbeReader implements AnswerReader {
  readonly #expected: HttpExpectation;
  readonly #done: ProbeDone;

  constructor(expected: HttpExpectation, done: ProbeDone) {
    this.#expected = expected;
    this.#done = done;
  }

  head(status: number, _headers: IncomingHttpHeaders): boolean {
    const { status: ranges } = this.#expected;
    if (ranges.some(([first, last]) => status >= first && status <= last)) return true;
    this.#done(bad(`status ${status}`));
    return false;
  }

  ended(body: Buffer): void {
    const { body: wanted } = this.#expected;
    this.#done(wanted === undefined || body.includes(wanted) ? GOOD : bad('the body is another one'));
  }

  oversized(): void {
    const { body } = this.#expected;
    this.#done(body === undefined ? GOOD : bad(`the body exceeds ${MAX_BODY_BYTES} bytes`));
  }

  broke(error: Error): void {
    this.#done(bad(httpFault(error).outcome));
  }
}
