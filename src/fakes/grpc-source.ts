import { methodOf, type ServiceSchema } from '../simulate/grpc-stand-in.ts';
import type { AnswerSource } from './answer-source.ts';
import { messageValue } from './message-value.ts';

/** Answers of a gRPC service, and what it is described by. */
export interface GrpcSource extends AnswerSource {
  readonly schema: ServiceSchema;
}

const STREAMED = 2;

/** Answers made of the schema of a service. @param from where the schema is from. */
export function grpcSource(schema: ServiceSchema, from: string, file?: string): GrpcSource {
  return {
    told: from,
    file,
    schema,
    answer({ path, message }) {
      const method = methodOf(schema, path);
      if (method === undefined)
        return { headers: {}, delay: 0, grpcStatus: 'UNIMPLEMENTED', grpcMessage: `the fake knows no ${path}` };
      const made = messageValue(method.output, (message ?? {}) as Readonly<Record<string, unknown>>);
      const isStream = method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming';
      const messages = isStream ? Array.from({ length: STREAMED }, () => made) : undefined;
      return { headers: {}, delay: 0, ...(messages === undefined ? { message: made } : { messages }) };
    },
  };
} // prettier-ignore
