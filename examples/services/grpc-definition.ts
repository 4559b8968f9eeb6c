import {
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethod,
  type Message,
  type MessageShape,
} from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import type { Metadata, MethodDefinition } from '@grpc/grpc-js';

/** What a method answers on the wire: a message, or bytes that go out as they are. */
export type Answer = Message | Buffer;

/** Answers one unary call, or throws a `GrpcError`. */
export type UnaryHandler<Input extends DescMessage, Output extends DescMessage> = (
  request: MessageShape<Input>,
  metadata: Metadata,
) => MessageShape<Output>;

/**
 * Answers one call with a stream, or throws a `GrpcError`.
 *
 * @param signal aborted when the caller has left; the stream has to end then.
 */
export type StreamHandler<Input extends DescMessage, Output extends DescMessage> = (
  request: MessageShape<Input>,
  metadata: Metadata,
  signal: AbortSignal,
) => AsyncIterable<MessageShape<Output>>;

/** One handler for each method of a generated service. */
export type MethodHandlers<Methods extends GenServiceMethods> = {
  readonly [Name in keyof Methods]: Methods[Name]['methodKind'] extends 'server_streaming'
    ? StreamHandler<Methods[Name]['input'], Methods[Name]['output']>
    : UnaryHandler<Methods[Name]['input'], Methods[Name]['output']>;
};

/** A method as grpc-js serves it, with the handler that its name belongs to. */
export interface ServedMethod {
  /** `shop.v1.Orders/GetOrder`. */
  readonly operation: string;
  readonly definition: MethodDefinition<Message, Answer>;
  readonly handle: (
    request: Message,
    metadata: Metadata,
    signal: AbortSignal,
  ) => Message | AsyncIterable<Message>;
}

/** Joins a generated service with its handlers into what grpc-js serves, by method name. */
export function serveMethods<Methods extends GenServiceMethods>(
  service: GenService<Methods>,
  handlers: MethodHandlers<Methods>,
): Record<string, ServedMethod> {
  const served: Record<string, ServedMethod> = {};
  for (const method of service.methods) {
    // The decoder of this very method made the request, so its type fits; TypeScript cannot see that here.
    const handle = handlers[method.localName as keyof Methods] as ServedMethod['handle'];
    const operation = `${service.typeName}/${method.name}`;
    served[method.localName] = {
      operation,
      definition: definitionOf(`/${operation}`, method),
      handle,
    };
  }
  return served;
}

function definitionOf(
  path: string,
  { input, output, methodKind }: DescMethod,
): MethodDefinition<Message, Answer> {
  const encode = encoder(output);
  return {
    path,
    requestStream: false,
    responseStream: methodKind === 'server_streaming',
    requestSerialize: encoder(input),
    requestDeserialize: (bytes) => fromBinary(input, bytes),
    responseSerialize: (answer) => (Buffer.isBuffer(answer) ? answer : encode(answer)),
    responseDeserialize: (bytes) => fromBinary(output, bytes),
  };
}

/** Encodes a message once, however often it is sent: handlers keep what they answer and never change it. */
function encoder(schema: DescMessage): (message: Message) => Buffer {
  const encoded = new WeakMap<Message, Buffer>();
  return (message) => {
    let bytes = encoded.get(message);
    if (bytes === undefined) encoded.set(message, (bytes = Buffer.from(toBinary(schema, message))));
    return bytes;
  };
}
