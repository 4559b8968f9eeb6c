import {
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethodUnary,
  type MessageShape,
} from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';

/** What goes along with a call. */
export interface UnaryCallOptions {
  /** Metadata by key. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Milliseconds until the deadline; none by default. */
  readonly timeoutMs?: number;
}

/**
 * Makes one gRPC call over a connection of its own: for specs, not for the request path.
 *
 * @throws {ServiceError} with the status that the service answered.
 */
export function unaryCall<Input extends DescMessage, Output extends DescMessage>(
  url: string,
  method: DescMethodUnary<Input, Output>,
  request: MessageShape<Input>,
  options: UnaryCallOptions = {},
): Promise<MessageShape<Output>> {
  const client = new Client(url.replace('grpc://', ''), credentials.createInsecure());
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(options.metadata ?? {})) metadata.set(key, value);
  const { timeoutMs } = options;
  return new Promise<MessageShape<Output>>((resolve, reject) => {
    client.makeUnaryRequest(
      `/${method.parent.typeName}/${method.name}`,
      (message: MessageShape<Input>) => Buffer.from(toBinary(method.input, message)),
      (bytes) => fromBinary(method.output, bytes),
      request,
      metadata,
      timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs },
      (error: ServiceError | null, answer) =>
        error === null && answer !== undefined ? resolve(answer) : reject(error ?? new Error('no answer')),
    );
  }).finally(() => client.close());
}
