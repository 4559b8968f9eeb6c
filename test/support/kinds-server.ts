import { create, createFileRegistry, fromBinary, toBinary, type DescMessage } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** The descriptors of `proto/test`, and of all that it imports. */
export const kindsRegistry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync('proto/test/kinds.binpb')),
);

/** A message type of `proto/test`. */
export function kindsMessage(name: string): DescMessage {
  const message = kindsRegistry.getMessage(name.includes('.') ? name : `test.v1.${name}`);
  if (message === undefined) throw new Error(`there is no message ${name}`);
  return message;
}

type Fields = Record<string, unknown>;

function encode(name: string, fields: Fields): Buffer {
  const message = kindsMessage(name);
  return Buffer.from(toBinary(message, create(message, fields as never)));
}

function decode(name: string, bytes: Buffer): Fields {
  return fromBinary(kindsMessage(name), bytes) as unknown as Fields;
}

/** How a method refuses. */
export interface Refusal {
  readonly code: status;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** `test.v1.Kinds` over gRPC: unary methods answer what they are sent, byte for byte. */
export class KindsServer {
  url = '';
  /** The request message of the unary call that came last, as it was on the wire. */
  lastBytes: Buffer | undefined;
  lastMetadata: Metadata | undefined;
  /** Milliseconds that the last unary call had left; `Infinity` without a deadline. */
  remainingMs = Infinity;
  calls = 0;
  cancelled = 0;
  /** Ticks that `Count` has written. */
  written = 0;
  refusal: Refusal | undefined;
  /** Whether `Sum` answers after the first message, and reads no further. */
  answersEarly = false;
  /** Bytes that unary methods answer instead of what they were sent. */
  answer: Buffer | undefined;
  header: Metadata | undefined;
  trailer: Metadata | undefined;
  /** Unary calls wait for this. */
  hold: Promise<void> | undefined;
  readonly #server = new Server({ 'grpc.enable_channelz': 0 });

  async start(port = 0): Promise<this> {
    const service = kindsRegistry.getService('test.v1.Kinds');
    const asIs = (bytes: Buffer): Buffer => bytes;
    const definition = Object.fromEntries(
      (service?.methods ?? []).map((method) => [
        method.name,
        {
          path: `/test.v1.Kinds/${method.name}`,
          requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
          responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
          requestSerialize: asIs,
          requestDeserialize: asIs,
          responseSerialize: asIs,
          responseDeserialize: asIs,
        },
      ]),
    );
    const unary = (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void =>
      this.#unary(call, reply);
    const names = ['Echo', 'Cancel', 'Get', 'Pick', 'Store', 'Nothing', 'Free', 'Internal'];
    const implementation: UntypedServiceImplementation = {
      ...Object.fromEntries(names.map((name) => [name, unary])),
      Count: (call: ServerWritableStream<Buffer, Buffer>) => void this.#count(call),
      Sum: (call: ServerReadableStream<Buffer, Buffer>, reply: sendUnaryData<Buffer>) =>
        this.#sum(call, reply),
      Chat: (call: ServerDuplexStream<Buffer, Buffer>) => this.#chat(call),
    };
    this.#server.addService(definition, implementation);
    const bound = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
        error === null ? resolve(at) : reject(error),
      );
    });
    this.url = `grpc://127.0.0.1:${bound}`;
    return this;
  }

  /** The server itself, to add services before it starts. */
  get server(): Server {
    return this.#server;
  }

  reset(): void {
    this.lastBytes = undefined;
    this.lastMetadata = undefined;
    this.refusal = undefined;
    this.answersEarly = false;
    this.answer = undefined;
    this.header = undefined;
    this.trailer = undefined;
    this.hold = undefined;
    this.calls = 0;
    this.cancelled = 0;
    this.written = 0;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  #unary(call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void {
    this.calls += 1;
    this.lastBytes = call.request;
    this.lastMetadata = call.metadata;
    this.remainingMs = Number(call.getDeadline()) - Date.now();
    call.on('cancelled', () => (this.cancelled += 1));
    void (this.hold ?? Promise.resolve()).then(() => {
      if (this.refusal !== undefined) return reply(this.refusal);
      if (this.header !== undefined) call.sendMetadata(this.header);
      reply(null, this.answer ?? call.request, this.trailer);
    });
  }

  async #count(call: ServerWritableStream<Buffer, Buffer>): Promise<void> {
    this.calls += 1;
    this.lastMetadata = call.metadata;
    call.on('cancelled', () => (this.cancelled += 1));
    const gone = new Promise((resolve) => call.once('cancelled', resolve));
    const { to, padding, failAfter } = decode('CountRequest', call.request) as Record<string, number>;
    if (this.refusal !== undefined && failAfter === 0) return void call.emit('error', failure(this.refusal));
    if (this.header !== undefined) call.sendMetadata(this.header);
    for (let number = 1; number <= (to ?? 0); number += 1) {
      if (call.cancelled) return;
      const tick = { number: BigInt(number), note: 'x'.repeat(padding ?? 0) };
      const isTaken = call.write(encode('Tick', tick));
      this.written = number;
      if (number === failAfter) return void call.emit('error', failure(this.refusal));
      if (!isTaken) await Promise.race([once(call, 'drain'), gone]);
      if (this.hold !== undefined) await this.hold;
    }
    call.end(this.trailer);
  }

  #sum(call: ServerReadableStream<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void {
    this.calls += 1;
    this.remainingMs = Number(call.getDeadline()) - Date.now();
    call.on('cancelled', () => (this.cancelled += 1));
    if (this.refusal !== undefined) return reply(this.refusal);
    if (this.hold !== undefined) {
      call.pause();
      void this.hold.then(() => call.resume());
    }
    let to = 0;
    let padding = 0;
    if (this.answersEarly) call.once('data', () => reply(null, encode('CountRequest', { to: 1 })));
    call.on('data', (bytes: Buffer) => {
      to += Number(decode('Tick', bytes)['number']);
      padding += 1;
    });
    call.on('end', () => {
      if (!this.answersEarly) reply(null, encode('CountRequest', { to, padding }), this.trailer);
    });
  }

  #chat(call: ServerDuplexStream<Buffer, Buffer>): void {
    this.calls += 1;
    this.lastMetadata = call.metadata;
    call.on('cancelled', () => (this.cancelled += 1));
    call.on('data', (bytes: Buffer) => {
      if (this.refusal !== undefined) return void call.emit('error', failure(this.refusal));
      const { number, note } = decode('Tick', bytes) as { number: bigint; note: string };
      call.write(encode('Tick', { number: number * 2n, note }));
    });
    call.on('end', () => call.end());
  }
}

function failure(refusal: Refusal | undefined): Error {
  return Object.assign(new Error('refused'), refusal ?? { code: status.INTERNAL, details: 'secret' });
}
