import type { JsonValue } from '@bufbuild/protobuf';
import type { Exchange } from '../exchange/exchange.ts';
import type { LiveSocket } from '../sockets/live-socket.ts';
import { editIncoming } from '../policies/transform/incoming-body.ts';
import { isJsonType } from '../policies/transform/maskable-body.ts';
import { Problem } from '../problems/problem.ts';
import { toProblem } from '../problems/render-problem.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { announcesBody } from '../problems/render-problem.ts';
import type { GrpcCaller } from '../upstreams/grpc/grpc-caller.ts';
import { metadataOf, outboundFields } from '../upstreams/grpc/outbound-metadata.ts';
import { StreamRun, type StreamRunOptions, type StreamSource } from '../upstreams/grpc/stream-run.ts';
import { HTTP_BODY } from './answer-plan.ts';
import { takesLines } from './binding.ts';
import { LineUpload } from './line-upload.ts';
import { addRequestMetadata } from './metadata-rules.ts';
import { checkMediaType, readBody } from './request-body.ts';
import { isKnownAgain } from '../upstreams/idempotent-methods.ts';
import { SingleMessage } from '../upstreams/grpc/single-message.ts';
import { SocketCall } from './socket-call.ts';
import { StreamAnswer } from './stream-answer.ts';
import type { Translation } from './translation.ts';
import { UnaryAnswerWriter } from './unary-answer.ts';

/** What one message may have; gRPC servers take no more by default. */
const MAX_MESSAGE_BYTES = 4 * 2 ** 20;

/** Answers HTTP requests with calls of gRPC methods. */
export class Transcoder {
  constructor(
    private readonly grpc: GrpcCaller,
    private readonly metrics: Metrics,
  ) {}

  /** Starts the call; everything, problems included, goes to the sink. */
  answer(translation: Translation): void {
    try {
      this.#start(translation);
    } catch (error) {
      translation.sink.fail(toProblem(error));
    }
  }

  /**
   * Prepares a call over a WebSocket.
   *
   * @throws {Problem} for what is wrong with the handshake; it is to be answered in HTTP then.
   */
  prepareSocket(translation: Omit<Translation, 'sink'>): (live: LiveSocket) => void {
    const { exchange, binding } = translation;
    const isWhole = binding.method.methodKind === 'server_streaming' && !binding.plan.takesBody;
    const message = isWhole ? binding.plan.encode(exchange, undefined) : undefined;
    // Every message will have these fields: what cannot be one is told before there is a socket.
    if (!isWhole && (exchange.params.length > 0 || exchange.query !== ''))
      binding.frames.encode(exchange, {});
    const parts = this.#streamParts(translation);
    return (live) => {
      const call = new SocketCall({ ...translation, live, message });
      new StreamRun({ ...parts, answersWhole: false, patient: true }, call, call).run();
    };
  }

  #start(translation: Translation): void {
    const { exchange, binding } = translation;
    if (takesLines(binding)) return this.#upload(translation);
    if (!binding.plan.takesBody || !announcesBody(exchange.request))
      return this.#send(translation, undefined);
    const isRaw = binding.plan.bodyMessage?.typeName === HTTP_BODY;
    if (!isRaw) checkMediaType(exchange, 'json');
    readBody(exchange, translation.maxBodyBytes ?? MAX_MESSAGE_BYTES)
      .then((bytes) => editedBytes(translation, bytes, isRaw))
      .then((bytes) => this.#send(translation, isRaw ? rawBody(exchange, bytes) : bytes))
      .catch((error: unknown) => translation.sink.fail(toProblem(error)));
  }

  #send(translation: Translation, body: Buffer | JsonValue | undefined): void {
    const { exchange, upstream, binding } = translation;
    const message = binding.plan.encode(exchange, body);
    if (binding.method.methodKind === 'server_streaming') {
      return this.#stream(translation, new SingleMessage(message));
    }
    const writer = new UnaryAnswerWriter(translation);
    const call = { method: binding.call, message, fields: requestFields(translation) };
    this.grpc
      .call(upstream, call, { exchange, timeoutMs: Infinity })
      .then((answer) => writer.write(answer))
      .catch((error: unknown) => translation.sink.fail(toProblem(error)));
  }

  #upload(translation: Translation): void {
    const { exchange, binding, lines = [], maxBodyBytes = Infinity } = translation;
    checkMediaType(exchange, 'lines');
    const upload = new LineUpload(exchange, {
      encode: (line) => {
        for (const stage of lines) stage.line?.(exchange, line);
        return binding.plan.encode(exchange, editedBytes(translation, line, false));
      },
      maxLineBytes: binding.options.maxLine,
      maxBytes: maxBodyBytes,
    });
    this.#stream(translation, upload);
  }

  #stream(translation: Translation, source: StreamSource): void {
    const taker =
      translation.binding.method.methodKind === 'client_streaming'
        ? new UnaryAnswerWriter(translation)
        : new StreamAnswer(translation);
    new StreamRun(this.#streamParts(translation), source, taker).run();
  }

  #streamParts(translation: Omit<Translation, 'sink'>): StreamRunOptions {
    const { exchange, upstream, binding } = translation;
    const fields = requestFields(translation);
    return {
      exchange,
      upstream,
      path: binding.call.path,
      idempotent: binding.call.idempotent || isKnownAgain(exchange, fields),
      metadata: metadataOf(fields),
      fields,
      channels: this.grpc.channels,
      metrics: this.metrics,
      answersWhole: binding.method.methodKind === 'client_streaming',
      idleMs: upstream.options.timeouts.idle,
      problemOf: binding.call.problemOf,
    };
  }
}

/** What goes out along with the messages. */
export function requestFields({ exchange, upstream, binding }: Omit<Translation, 'sink'>): string[] {
  const fields = outboundFields(exchange, upstream);
  addRequestMetadata(fields, binding.options.metadata.request, exchange);
  return fields;
}

/**
 * What policies make of the body of a request, or of one message of it. What is no JSON is refused by who reads it, whatever
 * the policy says of bodies that nobody reads.
 *
 * @throws {Problem} as {@link editIncoming}.
 */
export function editedBytes(
  { exchange, incoming }: Pick<Translation, 'exchange' | 'incoming'>,
  bytes: Buffer,
  isRaw: boolean,
): Buffer {
  if (incoming === undefined || bytes.length === 0) return bytes;
  if (!isRaw || isJsonType(exchange.request.headersDistinct['content-type'] ?? []))
    return editIncoming(exchange, bytes, incoming);
  if (incoming.onFault === 'pass') return bytes;
  throw new Problem('media-type-unsupported');
}

/** The JSON of a `google.api.HttpBody` that a request is. */
export function rawBody({ request }: Exchange, bytes: Buffer): JsonValue {
  return {
    contentType: request.headers['content-type'] ?? 'application/octet-stream',
    data: bytes.toString('base64'),
  };
}
