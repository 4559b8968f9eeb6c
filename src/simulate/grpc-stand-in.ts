import {
  create,
  fromBinary,
  fromJson,
  toBinary,
  toJson,
  type DescMethod,
  type Registry,
  type JsonValue,
} from '@bufbuild/protobuf';
import {
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Server } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { GRPC_STATUS, type FakeAnswer } from './answers.schema.ts';
import { listening, type StandIn } from './http-stand-in.ts';
import { fieldsOf, type Place, type Script } from './received.ts';

const PREFIX_BYTES = 5;
const SENT = { ':status': 200, 'content-type': 'application/grpc+proto' };

/** What knows services by their names. */
export type ServiceSchema = Pick<Registry, 'getService'>;

/** Stands in for a target of gRPC. @param schema of its services; undefined where nobody knows it. */
export async function grpcStandIn(
  place: Place,
  script: Script,
  schema: ServiceSchema | undefined,
): Promise<StandIn> {
  const sessions = new Set<Http2Session>();
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session)).on('error', () => undefined);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    serve(stream as ServerHttp2Stream, headers).catch((error: unknown) => {
      script.failed(place, error);
      stream.session?.destroy();
    });
  });
  async function serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const path = String(headers[':path']);
    const method = methodOf(schema, path);
    const body = await bytesOf(stream);
    if (body === undefined) return;
    const last = messagesIn(body).at(-1);
    const message =
      method === undefined || last === undefined
        ? undefined
        : toJson(method.input, fromBinary(method.input, last));
    const one = { ...place, method: 'POST', path, headers: fieldsOf(headers), body: '', message };
    script.received(one);
    await reply(stream, { script, method }, await script.answer(one));
  }
  return listening(server as unknown as Server, () => {
    for (const session of sessions) session.destroy();
  });
}

/** The method of a path; undefined where the schema has none. */
export function methodOf(schema: ServiceSchema | undefined, path: string): DescMethod | undefined {
  const [, service = '', name = ''] = path.split('/');
  return schema?.getService(service)?.methods.find((one) => one.name === name);
}

async function bytesOf(stream: ServerHttp2Stream): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

function messagesIn(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + PREFIX_BYTES <= bytes.length;) {
    const end = at + PREFIX_BYTES + bytes.readUInt32BE(at + 1);
    const message = bytes.subarray(at + PREFIX_BYTES, end);
    messages.push(bytes[at] === 1 ? gunzipSync(message) : message);
    at = end;
  }
  return messages;
}

interface Called {
  readonly script: Script;
  readonly method: DescMethod | undefined;
}

async function reply(
  stream: ServerHttp2Stream,
  { script, method }: Called,
  answer: FakeAnswer,
): Promise<void> {
  const { fault, delay, headers, grpcStatus = 'OK', grpcMessage } = answer;
  await script.wait(fault === 'hang' ? Infinity : delay);
  if (stream.destroyed) return;
  if (fault === 'reset') return void stream.session?.destroy();
  if (fault === 'garbage') return void stream.respond({ ':status': 200 }, { endStream: true });
  const trailers = {
    'grpc-status': String(GRPC_STATUS.indexOf(grpcStatus)),
    ...(grpcMessage === undefined ? {} : { 'grpc-message': encodeURIComponent(grpcMessage) }),
  };
  const messages = grpcStatus === 'OK' ? bytesToSend(answer, method) : [];
  if (messages.length === 0)
    return void stream.respond({ ...SENT, ...headers, ...trailers }, { endStream: true });
  stream.respond({ ...SENT, ...headers }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  for (const bytes of messages) stream.write(bytes);
  if (fault !== 'cut') return void stream.end();
  await script.wait(1);
  stream.session?.destroy();
}

function bytesToSend({ message, messages }: FakeAnswer, method: DescMethod | undefined): Buffer[] {
  if (method === undefined) return [];
  const given = messages ?? [message];
  return given.map((one) => {
    const made = one === undefined ? create(method.output) : fromJson(method.output, one as JsonValue);
    const bytes = toBinary(method.output, made);
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([prefix, bytes]);
  });
}
