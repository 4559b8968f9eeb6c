import { fromJson, type DescMethod, type JsonValue } from '@bufbuild/protobuf';
import type { FakeAnswer, GRPC_STATUS } from '../../simulate/answers.schema.ts';
import { grpcStandIn } from '../../simulate/grpc-stand-in.ts';
import type { Received } from '../../simulate/received.ts';
import { TestingError } from '../testing-error.ts';
import { Answers, readAnswer, type AnyAnswer, type Answering } from './fake-answer.ts';
import { FakeService } from './fake-service.ts';
import { grpcSchema, methodNamed, type GrpcSchema, type GrpcSchemaOptions } from './grpc-schema.ts';

/** What a fake gRPC service answers. */
export interface GrpcAnswer extends AnyAnswer {
  /** The message, as its JSON. Default an empty one. */
  readonly message?: object;
  /** The messages of a stream. */
  readonly messages?: readonly object[];
  /** Default `OK`. */
  readonly grpcStatus?: (typeof GRPC_STATUS)[number];
  /** What the status says besides. */
  readonly grpcMessage?: string;
}

/** What a fake gRPC service was asked. */
export interface GrpcRequest {
  /** The target that it came to, as the configuration has it. */
  readonly target: string;
  /** `package.Service/Method`. */
  readonly method: string;
  /** The message as its JSON; of a stream the last one. */
  readonly message: Readonly<Record<string, unknown>>;
  /** Metadata: lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

type Rules = Map<string, Answers<GrpcAnswer, GrpcRequest>>;

/** A fake gRPC service. Methods that nothing was said of answer `UNIMPLEMENTED`. */
export class FakeGrpc extends FakeService<GrpcRequest> {
  protected readonly scheme = 'grpc';
  readonly #schema: GrpcSchema | undefined;
  readonly #rules: Rules = new Map();

  constructor(name: string, schema: GrpcSchema | undefined) {
    super(name);
    this.#schema = schema;
  }

  /**
   * Starts one on a free port.
   *
   * @param options where its services are described, and what messages call it.
   * @throws {TestingError} when nothing describes them.
   */
  static start({ name = 'grpc', ...schema }: GrpcSchemaOptions & { readonly name?: string }): Promise<FakeGrpc> {
    return FakeGrpc.startWith(name, grpcSchema(schema));
  } // prettier-ignore

  /** Starts one whose schema was read already; without one it can only be called in vain. */
  static startWith(
    name: string,
    schema: GrpcSchema | undefined,
    targets?: readonly string[],
  ): Promise<FakeGrpc> {
    const open: Parameters<FakeGrpc['start']>[0] = (place, script) =>
      grpcStandIn(place, script, schema?.registry);
    return new FakeGrpc(name, schema).start(open, targets);
  }

  /**
   * Says what is answered, such as `on('shop.v1.Orders/GetOrder', { message: { order: { id: '7' } } })`; `GetOrder` is enough where one
   * method is called so.
   *
   * @throws {TestingError} for a method that there is not, and for messages that do not fit its schema.
   */
  on(method: string, answer: Answering<GrpcAnswer, GrpcRequest>): this {
    const [name, descriptor] = methodNamed(this.#described, method);
    const place = `${this.name}.on('${method}')`;
    const read = (given: GrpcAnswer, at: string): FakeAnswer => fitting(given, descriptor, at);
    this.#rules.set(name, new Answers(place, answer, read));
    return this;
  }

  /** What a method was asked, in order; all requests without one. */
  requestsTo(method?: string): readonly GrpcRequest[] {
    if (method === undefined) return this.requests;
    const [name] = methodNamed(this.#described, method);
    return this.requests.filter((one) => one.method === name);
  }

  /** How often a method was called; without one, how often any. */
  calls(method?: string): number {
    return this.requestsTo(method).length;
  }

  titleOf({ method, message }: GrpcRequest): string {
    return `${method} ${JSON.stringify(message)}`;
  }

  protected requestOf({ target, path, message = {}, headers }: Received): GrpcRequest {
    return { target, method: path.slice(1), message: message as GrpcRequest['message'], headers };
  }

  protected async answerTo(request: GrpcRequest): Promise<FakeAnswer> {
    const answers = this.#rules.get(request.method);
    if (answers !== undefined) return answers.next(request);
    const grpcMessage = `the fake service ${this.name} has no answer for ${request.method}; it has ${[...this.#rules.keys()].join(', ') || 'none'}`;
    return { headers: {}, delay: 0, grpcStatus: 'UNIMPLEMENTED', grpcMessage };
  }

  protected forget(): void {
    this.#rules.clear();
  }

  get #described(): GrpcSchema {
    if (this.#schema !== undefined) return this.#schema;
    throw new TestingError(
      `nothing describes the services of ${this.name}: give the upstream \`descriptorSet\` or \`proto\` in the configuration, or start it with upstreams: { ${this.name}: await FakeGrpc.start({ services: […] }) }`,
    );
  }
}

// What does not fit would only be told where it is sent, far from the line that says it.
function fitting(given: GrpcAnswer, { output }: DescMethod, place: string): FakeAnswer {
  const read = readAnswer(given, place);
  for (const message of read.messages ?? [read.message ?? {}]) {
    try {
      fromJson(output, message as JsonValue);
    } catch (error) {
      throw new TestingError(`${place}: ${(error as Error).message}`, { cause: error });
    }
  }
  return read;
}
