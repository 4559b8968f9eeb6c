import { create, createFileRegistry, fromBinary, toBinary, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { PlainFault } from '../../../telemetry/error-facts.ts';
import type { Lease } from '../../lease.ts';
import { cancelCall } from '../cancel-call.ts';
import {
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from '../gen/grpc/reflection/v1/reflection_pb.ts';
import type { GrpcChannels } from '../grpc-channel.ts';
import { asIs, type ByteCall } from '../stream-run.ts';

/** The two names under which servers offer the same protocol, newest first. */
const PROTOCOLS = ['grpc.reflection.v1', 'grpc.reflection.v1alpha'] as const;
const TIMEOUT_MS = 10_000;
const MAX_FILES = 2000;

type Question = ServerReflectionRequest['messageRequest'];

/** What the questions go over. */
export interface ReflectionWay {
  readonly channels: GrpcChannels;
  /** Of the target's upstream. */
  readonly maxConnections: number;
}

/**
 * Asks a target for the files that declare a service, with all that they import, and gives the lease back.
 *
 * @throws {Error} when the target does not answer, or the service is not there.
 */
export async function reflect(lease: Lease, way: ReflectionWay, service: string): Promise<FileRegistry> {
  const start = (protocol: string): ByteCall =>
    way.channels.call(lease.target, way.maxConnections, (client) =>
      client.makeBidiStreamRequest(
        `/${protocol}.ServerReflection/ServerReflectionInfo`,
        asIs,
        asIs,
        new Metadata(),
        { deadline: Date.now() + TIMEOUT_MS },
      ),
    );
  try {
    return await reflectWith(start(PROTOCOLS[0]), service);
  } catch (error) {
    if ((error as Partial<ServiceError>).code !== status.UNIMPLEMENTED) throw error;
    return await reflectWith(start(PROTOCOLS[1]), service);
  } finally {
    // Whether a target can describe itself says nothing about how it serves.
    lease.release('neutral');
  }
}

async function reflectWith(call: ByteCall, service: string): Promise<FileRegistry> {
  // Iterating reports a failure; this one is for what comes after it was left.
  call.on('error', () => undefined);
  const answers = call.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  const ask = async (question: Question): Promise<readonly FileDescriptorProto[]> => {
    const request = create(ServerReflectionRequestSchema, { messageRequest: question });
    call.write(Buffer.from(toBinary(ServerReflectionRequestSchema, request)));
    const { value, done } = await answers.next();
    if (done === true) throw new PlainFault('the reflection stream ended early');
    return filesOf(fromBinary(ServerReflectionResponseSchema, value as Buffer));
  };
  try {
    return await gather(ask, service);
  } finally {
    cancelCall(call);
  }
}

async function gather(
  ask: (question: Question) => Promise<readonly FileDescriptorProto[]>,
  service: string,
): Promise<FileRegistry> {
  const files = new Map<string, FileDescriptorProto>();
  const roots = await ask({ case: 'fileContainingSymbol', value: service });
  const pending = [...roots];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (files.has(file.name)) continue;
    if (files.size >= MAX_FILES) throw new PlainFault(`the service needs more than ${MAX_FILES} files`);
    files.set(file.name, file);
    for (const name of file.dependency) {
      const known = files.has(name) || pending.some((one) => one.name === name);
      if (!known) pending.push(...(await ask({ case: 'fileByFilename', value: name })));
    }
  }
  const registries = roots.map((root) => createFileRegistry(root, (name) => files.get(name)));
  return createFileRegistry(...registries);
}

function filesOf({ messageResponse }: ServerReflectionResponse): readonly FileDescriptorProto[] {
  if (messageResponse.case === 'fileDescriptorResponse') {
    return messageResponse.value.fileDescriptorProto.map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
  }
  // What the target says about it is text of its own, and stays out of the log.
  const { case: kind, value } = messageResponse;
  const code = kind === 'errorResponse' ? `error ${value.errorCode}` : 'an answer that is not understood';
  throw new PlainFault(`server reflection: ${code}`);
}
