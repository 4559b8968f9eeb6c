import { create, fromBinary, toBinary, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { Server, ServerDuplexStream } from '@grpc/grpc-js';
import {
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from '../../src/upstreams/grpc/gen/grpc/reflection/v1/reflection_pb.ts';

/** Lets a server describe itself, as `grpc.reflection.v1` or, like older servers, as `v1alpha`. */
export function addReflection(server: Server, protocol: 'v1' | 'v1alpha', current: () => FileRegistry): void {
  const asIs = (bytes: Buffer): Buffer => bytes;
  const definition = {
    info: {
      path: `/grpc.reflection.${protocol}.ServerReflection/ServerReflectionInfo`,
      requestStream: true as const,
      responseStream: true as const,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  };
  server.addService(definition, {
    info: (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.on('data', (bytes: Buffer) => call.write(answer(bytes, current())));
      call.on('end', () => call.end());
    },
  });
}

function answer(bytes: Buffer, registry: FileRegistry): Buffer {
  const { messageRequest } = fromBinary(ServerReflectionRequestSchema, bytes);
  const { value } = messageRequest;
  const file =
    messageRequest.case === 'fileByFilename'
      ? (registry.getFile(String(value).replace(/\.proto$/, '')) ?? registry.getFile(String(value)))
      : registry.getService(String(value))?.file;
  const response = create(ServerReflectionResponseSchema, {
    messageResponse:
      file === undefined
        ? { case: 'errorResponse', value: { errorCode: 5, errorMessage: `not found: ${value}` } }
        : {
            case: 'fileDescriptorResponse',
            value: { fileDescriptorProto: [toBinary(FileDescriptorProtoSchema, file.proto)] },
          },
  });
  return Buffer.from(toBinary(ServerReflectionResponseSchema, response));
}
