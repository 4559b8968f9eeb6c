import type { Metadata } from '@grpc/grpc-js';
import { Problem, problemBody } from '../problems/problem.ts';
import { endWithCredential } from '../sockets/credential-end.ts';
import { addResponseHeaders } from './metadata-rules.ts';
import { streamFormat, type StreamFormat } from '../exchange/stream-format.ts';
import type { StreamTaker } from '../upstreams/grpc/stream-run.ts';
import type { Translation } from './translation.ts';

/** Writes the messages of a streaming call to the client, as `Accept` wants them. */
export class StreamAnswer implements StreamTaker {
  readonly #translation: Translation;
  readonly #format: StreamFormat;
  #count = 0;

  constructor(translation: Translation) {
    this.#translation = translation;
    this.#format = streamFormat(translation.exchange.request.headers.accept);
  }

  open(metadata: Metadata | undefined): boolean {
    const { exchange, binding, sink } = this.#translation;
    const { contentType, headers, open } = this.#format;
    const head = ['content-type', contentType, ...headers, ...binding.vary];
    if (metadata !== undefined) {
      addResponseHeaders(head, binding.options.metadata.response, metadata.toHttp2Headers());
    }
    sink.start(200, head);
    if (exchange.method === 'HEAD') {
      sink.end();
      return false;
    }
    // The call ends with it, and so the stream: by `fail`.
    exchange.onClosed(endWithCredential(exchange, (problem) => exchange.cancel(problem)));
    // The client learns that the stream is open, however long the first message takes.
    if (open !== '') this.#write(open);
    // Unless it is held back, or something else was said in its place.
    else if (exchange.response.headersSent && !exchange.response.destroyed) exchange.response.flushHeaders();
    return true;
  }

  message(bytes: Buffer): boolean {
    const { exchange, binding, edit } = this.#translation;
    try {
      const json = binding.answer.toJson(bytes);
      const text = JSON.stringify(edit === undefined ? json : edit(json));
      return this.#write(this.#format.item(text, this.#count++));
    } catch (error) {
      exchange.cancel(new Problem('upstream-response-invalid', { cause: error }));
      return true;
    }
  }

  end(): void {
    if (this.#format.close !== '') this.#write(this.#format.close);
    this.#translation.sink.end();
  }

  fail(problem: Problem): void {
    const { exchange, sink } = this.#translation;
    const told = exchange.response.headersSent ? this.#format.problem : undefined;
    if (told === undefined || problem.code === 'client-closed') return sink.fail(problem);
    exchange.problem ??= problem;
    // What broke off is not to be kept.
    exchange.recording?.abandon();
    exchange.recording = undefined;
    this.#write(told(JSON.stringify(problemBody(problem, exchange.id))));
    sink.end();
  }

  onDrain(resume: () => void): void {
    const { sink, upstream } = this.#translation;
    sink.onDrain(resume, upstream.options.timeouts.idle);
  }

  #write(text: string): boolean {
    return this.#translation.sink.data(Buffer.from(text));
  }
}
