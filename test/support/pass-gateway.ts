import {
  Client,
  credentials,
  Metadata,
  type ClientOptions,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { createHash } from 'node:crypto';
import { startGateway, type TestGateway } from './gateway.ts';
import { kindsMessage } from './kinds-server.ts';

/** The API key that gateways of {@link passConfig} know. */
export const PASS_KEY = 'test-key-of-calls';

/** What a gateway is configured with that passes calls on; each of the texts is YAML in flow style. */
export interface PassConfig {
  readonly targets: readonly string[];
  /** Of all targets. */
  readonly labels?: Readonly<Record<string, string>>;
  /** More keys of the upstream. */
  readonly upstream?: string;
  /** More routes. */
  readonly routes?: string;
}

/** A gateway with HTTP/2 in the clear that passes calls of `test.v1.Kinds` on. */
export function passConfig({ targets, labels = {}, upstream = '', routes = '' }: PassConfig): string {
  return `
version: 1
identity: { apiKeys: [{ sha256: ${createHash('sha256').update(PASS_KEY).digest('hex')}, clientId: app }] }
listeners: [{ port: 0, http2: true }]
upstreams:
  kinds: { protocol: grpc, targets: [${targets.map((url) => JSON.stringify({ url, labels })).join()}], ${upstream} }
routes:
  - { id: calls, match: { path: /test.v1.Kinds/* }, upstream: kinds, passGrpc: true, policies: { authentication: public } }
${routes}`;
}

/** Starts one. */
export function startPassing(config: PassConfig): Promise<TestGateway> {
  return startGateway({ config: passConfig(config) });
}

/** A message of `test.v1` as bytes. */
export function encoded(name: string, fields: object): Buffer {
  const message = kindsMessage(name);
  return Buffer.from(toBinary(message, create(message, fields as never)));
}

/** A message of `test.v1` as fields. */
export function decoded(name: string, bytes: Buffer): Record<string, unknown> {
  return fromBinary(kindsMessage(name), bytes) as unknown as Record<string, unknown>;
}

export const asIs = (bytes: Buffer): Buffer => bytes;

/** A client of gRPC that knows nothing of gateways. */
export function grpcClient(url: string, options: ClientOptions = {}): Client {
  return new Client(new URL(url).host, credentials.createInsecure(), options);
}

/** Metadata of names and values. */
export function metadataOf(fields: Readonly<Record<string, string | Buffer>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  return metadata;
}

/** What came of a unary call. */
export interface UnaryOutcome {
  readonly code: number;
  readonly details: string;
  readonly bytes: Buffer | undefined;
  readonly head: Metadata | undefined;
  readonly trailers: Metadata;
}

/** Makes a unary call, and tells all that came of it. */
export function unary(
  client: Client,
  {
    path = '/test.v1.Kinds/Echo',
    bytes = Buffer.from('x'),
    fields = {},
    timeoutMs = Infinity,
  }: {
    readonly path?: string;
    readonly bytes?: Buffer;
    readonly fields?: Readonly<Record<string, string | Buffer>>;
    readonly timeoutMs?: number;
  } = {},
): Promise<UnaryOutcome> {
  return new Promise((resolve) => {
    let answer: Buffer | undefined;
    let head: Metadata | undefined;
    const deadline = Date.now() + timeoutMs;
    const call = client.makeUnaryRequest(
      path, asIs, asIs, bytes, metadataOf(fields), { deadline },
      (_error: ServiceError | null, value?: Buffer) => (answer = value),
    ); // prettier-ignore
    call.once('metadata', (metadata: Metadata) => (head = metadata));
    call.once('status', ({ code, details, metadata }: StatusObject) =>
      setImmediate(() => resolve({ code, details, bytes: answer, head, trailers: metadata })),
    );
  });
}
