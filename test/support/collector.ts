import { Server, ServerCredentials, status, type Metadata, type ServiceDefinition } from '@grpc/grpc-js';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { readJson, readProtobuf, type CollectedBatch, type CollectedSpan } from './collected-spans.ts';

/** What a collector does with what it gets: takes it, refuses it, or never says anything. */
export type CollectorMood = 'takes' | 'refuses' | 'hangs';

interface Asked {
  readonly request: Buffer;
  readonly metadata: Metadata;
}

/** An OTLP collector that keeps what it gets: over HTTP with Protocol Buffers or JSON, and over gRPC. */
export class Collector {
  mood: CollectorMood = 'takes';
  readonly batches: CollectedBatch[] = [];
  /** Everything that has come, as text, to be searched for what may not be in it. */
  readonly raw: string[] = [];
  readonly headers: IncomingHttpHeaders[] = [];
  /** How many exports were tried. */
  tries = 0;
  readonly #http = createServer((request, response) => void this.#take(request, response));
  readonly #grpc = new Server();
  url = '';
  grpcUrl = '';

  /** @param port of HTTP; default any. */
  async start(port = 0): Promise<this> {
    this.#http.listen(port, '127.0.0.1');
    await once(this.#http, 'listening');
    this.url = `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
    this.#grpc.addService(SERVICE, {
      export: (call: Asked, done: (error: object | null, answer?: Buffer) => void) => {
        this.tries += 1;
        this.headers.push(call.metadata.getMap() as IncomingHttpHeaders);
        if (this.mood === 'refuses') return done({ code: status.INVALID_ARGUMENT, details: 'no' });
        if (this.mood === 'takes') this.#keep(readProtobuf(call.request), call.request);
        if (this.mood === 'takes') done(null, Buffer.alloc(0));
      },
    });
    const grpcPort = await new Promise<number>((resolve, reject) => {
      this.#grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    this.grpcUrl = `http://127.0.0.1:${grpcPort}`;
    return this;
  }

  /** All spans so far. */
  get spans(): readonly CollectedSpan[] {
    return this.batches.flatMap(({ spans }) => spans);
  }

  /** The spans of a trace; waits until a condition holds for them, for at most four seconds. */
  async traceOf(
    traceId: string,
    holds: (spans: readonly CollectedSpan[]) => boolean = (spans) =>
      spans.some(({ kind }) => kind === 'server'),
  ): Promise<readonly CollectedSpan[]> {
    const found = () => this.spans.filter((span) => span.traceId === traceId);
    for (let waited = 0; !holds(found()) && waited < 10_000; waited += 10) await sleep(10);
    return found();
  }

  /** Ends at once. */
  async stop(): Promise<void> {
    this.#grpc.forceShutdown();
    this.#http.closeAllConnections();
    this.#http.close();
    if (this.#http.listening) await once(this.#http, 'close');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.tries += 1;
    this.headers.push(request.headers);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (this.mood === 'hangs') return;
    if (this.mood === 'refuses') return void response.writeHead(400).end();
    const sent = Buffer.concat(chunks);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    const isJson = request.headers['content-type'] === 'application/json';
    this.#keep(isJson ? readJson(body.toString()) : readProtobuf(body), body);
    response
      .writeHead(200, { 'content-type': request.headers['content-type'] ?? '' })
      .end(isJson ? '{}' : '');
  }

  #keep(batches: readonly CollectedBatch[], raw: Buffer): void {
    this.batches.push(...batches);
    this.raw.push(raw.toString('latin1'));
  }
}

const asIs = (bytes: Buffer): Buffer => bytes;

const SERVICE: ServiceDefinition = {
  export: {
    path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
};

/** The variables of a gateway that sends its spans to a collector soon; to be set for the process too, where the SDK reads them. */
export function otelVariables(
  endpoint: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_BSP_SCHEDULE_DELAY: '20',
    ...more,
  };
}

/** Sets variables of the process. @returns what puts back what was there. */
export function setVariables(variables: Readonly<Record<string, string>>): () => void {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  return () => {
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  };
}
