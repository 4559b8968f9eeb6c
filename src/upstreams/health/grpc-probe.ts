import { status } from '@grpc/grpc-js';
import type { IncomingHttpHeaders } from 'node:http';
import { endOf, endOfError, framed, readMessage, timeoutText, UNARY_FIELDS } from '../grpc/unary-wire.ts';
import type { AnswerReader } from '../transport/answer-reader.ts';
import { Http2Pool, type Http2PoolOptions } from '../transport/http2/http2-pool.ts';
import { bad, GOOD, type Probe, type ProbeDone } from './probe.ts';

const METHOD = '/grpc.health.v1.Health/Check';
const MAX_BYTES = 4096;
/** Field 1, a varint, of `HealthCheckResponse`; field 1, a text, of the request. */
const STATUS_TAG = 0x08;
const SERVICE_TAG = 0x0a;
const SERVING = 1;
const STATUS_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** Asks by the health protocol of gRPC (grpc/grpc doc/health-checking.md), over a connection of its own. */
export class GrpcProbe implements Probe {
  readonly #options: Omit<Http2PoolOptions, 'fields'>;
  readonly #service: string;
  readonly #timeoutMs: number;
  #pool: Http2Pool | undefined = undefined;

  /** @param service whose health is asked for; empty for that of the server. */
  constructor(options: Omit<Http2PoolOptions, 'fields'>, service: string, timeoutMs: number) {
    this.#options = { ...options, maxConnections: 1 };
    this.#service = service;
    this.#timeoutMs = timeoutMs;
  }

  ask(done: ProbeDone): () => void {
    this.#pool ??= new Http2Pool({ ...this.#options, fields: UNARY_FIELDS });
    const request = {
      path: METHOD,
      fields: ['grpc-timeout', timeoutText(this.#timeoutMs)],
      body: framed(requestFor(this.#service)),
    };
    const stream = this.#pool.post(request, new HealthReader(this.#service, done), MAX_BYTES);
    return () => stream.abandon();
  }

  renew(): void {
    this.#pool?.close();
    this.#pool = undefined;
  }

  close(): void {
    this.renew();
  }
}

class HealthReader implements AnswerReader {
  readonly #service: string;
  readonly #done: ProbeDone;
  #status = 0;
  #head: IncomingHttpHeaders = {};

  constructor(service: string, done: ProbeDone) {
    this.#service = service;
    this.#done = done;
  }

  head(httpStatus: number, headers: IncomingHttpHeaders): boolean {
    this.#status = httpStatus;
    this.#head = headers;
    return true;
  }

  ended(body: Buffer, trailers: IncomingHttpHeaders): void {
    const { code } = endOf(this.#status, this.#head, trailers);
    if (code === status.OK) {
      const coding = this.#head['grpc-encoding'];
      readMessage(body, typeof coding === 'string' ? coding : undefined, (fault, message) =>
        this.#done(fault === null ? resultOf(message as Uint8Array) : bad(fault.message)),
      );
    } else if (code === status.UNIMPLEMENTED) {
      // The server has answered, and says nothing about its health: as good as a connection.
      this.#done({ isGood: true, fault: 'the server has no grpc.health.v1.Health; only its answer counts' });
    } else if (code === status.NOT_FOUND) {
      this.#done(bad(`the server knows no service "${this.#service}" to tell the health of`));
    } else this.#done(bad(status[code] ?? `status ${code}`));
  }

  oversized(): void {
    this.#done(bad(`the answer exceeds ${MAX_BYTES} bytes`));
  }

  broke(error: Error): void {
    this.#done(bad(status[endOfError(error).code] ?? 'broken'));
  }
}

function requestFor(service: string): Uint8Array {
  const name = Buffer.from(service);
  // A length of one byte: names of services are shorter than 128.
  return name.length === 0 ? name : Buffer.concat([Buffer.of(SERVICE_TAG, name.length), name]);
}

// Proto3 leaves out what is 0: an empty message is UNKNOWN.
function resultOf(message: Uint8Array): { readonly isGood: boolean; readonly fault?: string } {
  const value = message[0] === STATUS_TAG ? (message[1] ?? 0) : 0;
  return value === SERVING ? GOOD : bad(STATUS_NAMES[value] ?? `status ${value}`);
}
