import type { Metadata } from '@grpc/grpc-js';
import { Problem } from '../problems/problem.ts';
import { addResponseHeaders } from './metadata-rules.ts';
import type { StreamTaker } from '../upstreams/grpc/stream-run.ts';
import type { UnaryMessage } from '../upstreams/grpc/unary-run.ts';
import type { Translation } from './translation.ts';

/** Writes the one message that a call answers, whether the request was one message or a stream of them. */
export class UnaryAnswerWriter implements StreamTaker {
  readonly #translation: Translation;
  #metadata: UnaryMessage['head'] = {};
  #bytes: Buffer | undefined = undefined;

  constructor(translation: Translation) {
    this.#translation = translation;
  }

  /** @throws {Problem} `upstream-response-invalid` when the message cannot be read. */
  write({ bytes, head: metadata, trailers }: UnaryMessage): void {
    const { exchange, binding, sink } = this.#translation;
    const names = binding.options.metadata.response;
    const { type, body } = this.#bodyOf(bytes);
    const head = ['content-type', type, 'content-length', String(body.length), ...binding.vary];
    addResponseHeaders(head, names, metadata);
    addResponseHeaders(head, names, trailers);
    sink.start(200, head);
    if (exchange.method !== 'HEAD') sink.data(body);
    sink.end();
  }

  open(metadata: Metadata | undefined): boolean {
    this.#metadata = metadata?.toHttp2Headers() ?? {};
    return true;
  }

  message(bytes: Buffer): boolean {
    const { exchange } = this.#translation;
    if (this.#bytes !== undefined) exchange.cancel(new Problem('upstream-response-invalid'));
    this.#bytes = bytes;
    return true;
  }

  end(trailers: Metadata): void {
    if (this.#bytes === undefined) return this.fail(new Problem('upstream-response-invalid'));
    try {
      this.write({ bytes: this.#bytes, head: this.#metadata, trailers: trailers.toHttp2Headers() });
    } catch (error) {
      this.fail(error as Problem);
    }
  }

  fail(problem: Problem): void {
    this.#translation.sink.fail(problem);
  }

  onDrain(): void {}

  #bodyOf(bytes: Uint8Array): { type: string; body: Buffer } {
    const { binding, edit } = this.#translation;
    try {
      if (binding.answer.isRaw) {
        const { contentType, data } = binding.answer.toRaw(bytes);
        return { type: contentType, body: data };
      }
      const json = binding.answer.toJson(bytes);
      const text = JSON.stringify(edit === undefined ? json : edit(json));
      return { type: 'application/json', body: Buffer.from(text) };
    } catch (error) {
      throw new Problem('upstream-response-invalid', { cause: error });
    }
  }
}
