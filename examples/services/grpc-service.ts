import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type {
  MethodDefinition,
  sendUnaryData,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Message } from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import type { Fault } from './fault.ts';
import { GrpcError } from './grpc-caller.ts';
import { serveMethods, type Answer, type ServedMethod, type MethodHandlers } from './grpc-definition.ts';
import { SampleService, type Listening, type ServiceOptions } from './sample-service.ts';

type Stream = ServerWritableStream<Message, Answer>;
/** A call of either kind, as far as both are alike. */
type Call = Pick<ServerUnaryCall<Message, Answer>, 'request' | 'metadata' | 'getDeadline' | 'once' | 'off'>;
/** Answers a unary call; with a message alone, it is the first of a stream as well. */
type Reply = sendUnaryData<Answer>;
type ConnectionInjector = ReturnType<Server['createConnectionInjector']>;

/** A field number, then a length that never ends: no decoder accepts it. */
const GARBAGE = Buffer.from([0x0a, 0xff, 0xff, 0xff]);
const FAILED = { code: status.INTERNAL, details: 'the service failed, as it was told to' };
const UNAVAILABLE = { code: status.UNAVAILABLE, details: 'the service is unavailable, as it was told to' };

/** What a test can look at after a call. */
export interface RecordedCall {
  /** `shop.v1.Orders/GetOrder`. */
  readonly operation: string;
  readonly metadata: Metadata;
  /** Milliseconds that were left when the call arrived; `Infinity` when it had no deadline. */
  readonly remainingMs: number;
}

/** A sample service over gRPC without TLS. */
export class GrpcService<Methods extends GenServiceMethods = GenServiceMethods> extends SampleService {
  /** The call that came last. */
  lastCall: RecordedCall | undefined;
  readonly #injector: ConnectionInjector;

  constructor(
    name: string,
    options: ServiceOptions,
    service: GenService<Methods>,
    handlers: MethodHandlers<Methods>,
  ) {
    super(name, 'grpc', options);
    const server = this.#serve(serveMethods(service, handlers));
    this.#injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  protected override listen(host: string, port: number): Promise<Listening> {
    const sockets = new Set<Socket>();
    // The listening socket is ours, so that "dead" can free the port, destroy connections and come back:
    // a grpc-js server that was shut down cannot listen again.
    const listener = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      this.#injector.injectConnection(socket);
    });
    const close = (): Promise<void> =>
      new Promise((closed) => {
        listener.close(() => closed());
        for (const socket of sockets) socket.destroy();
      });
    return new Promise((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(port, host, () => resolve({ port: (listener.address() as AddressInfo).port, close }));
    });
  }

  #serve(methods: Record<string, ServedMethod>): Server {
    const definition: Record<string, MethodDefinition<Message, Answer>> = {};
    const implementation: UntypedServiceImplementation = {};
    for (const [name, method] of Object.entries(methods)) {
      definition[name] = method.definition;
      implementation[name] = method.definition.responseStream
        ? (call: Stream) => this.#accept(method, call as unknown as Call, replyTo(call))
        : (call: Call, reply: Reply) => this.#accept(method, call, reply);
    }
    const server = new Server({ 'grpc.enable_channelz': 0 });
    server.addService(definition, implementation);
    return server;
  }

  #accept(method: ServedMethod, call: Call, reply: Reply): void {
    const remainingMs = Number(call.getDeadline()) - Date.now();
    this.lastCall = { operation: method.operation, metadata: call.metadata, remainingMs };
    this.requests.count(method.operation);
    if (this.mode === 'none') answer(method, call, reply);
    else this.#misbehave(this.mode, method, call, reply);
  }

  #misbehave(mode: Fault, method: ServedMethod, call: Call, reply: Reply): void {
    if (typeof mode === 'object') {
      const giveUp = (): void => {
        clearTimeout(timer);
        this.requests.aborted += 1;
      };
      const timer = setTimeout(() => {
        call.off('cancelled', giveUp);
        answer(method, call, reply);
      }, mode.slow);
      call.once('cancelled', giveUp);
    } else if (mode === 'garbage') reply(null, GARBAGE);
    else if (mode === 'fail') reply(FAILED);
    else reply(UNAVAILABLE);
  }
}

function answer(method: ServedMethod, call: Call, reply: Reply): void {
  const left = new AbortController();
  call.once('cancelled', () => left.abort());
  try {
    const given = method.handle(call.request, call.metadata, left.signal);
    if (!(Symbol.asyncIterator in given)) return reply(null, given);
    // Whoever has left hears nothing; that the stream then ends in the middle is as it should be.
    stream(given, call as unknown as Stream, left.signal).catch((error: unknown) => {
      if (!left.signal.aborted) refuse(method, error, reply);
    });
  } catch (error) {
    refuse(method, error, reply);
  }
}

async function stream(messages: AsyncIterable<Message>, call: Stream, left: AbortSignal): Promise<void> {
  call.sendMetadata(new Metadata());
  for await (const message of messages) {
    if (left.aborted) return;
    if (!call.write(message)) await once(call, 'drain', { signal: left }).catch(() => {});
  }
  call.end();
}

function refuse(method: ServedMethod, error: unknown, reply: Reply): void {
  if (error instanceof GrpcError) return reply(error);
  console.error(`${method.operation}:`, error);
  reply({ code: status.INTERNAL, details: 'internal error' });
}

/** What a fault says in place of an answer, said to a stream. */
function replyTo(call: Stream): Reply {
  return (error, bytes) => {
    if (error !== null) return void call.emit('error', Object.assign(new Error('refused'), error));
    if (bytes) call.write(bytes);
    call.end();
  };
}
