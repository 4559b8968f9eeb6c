import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import {
  CheckRequestSchema,
  CheckResponseSchema,
  type CheckRequest,
} from '../../src/upstreams/grpc/gen/envoy/service/auth/v3/external_auth_pb.ts';

type Verdict = MessageInitShape<typeof CheckResponseSchema>;

/** A service that speaks Envoy's external authorization protocol. */
export class AuthzServer {
  url = '';
  /** What it was asked last. */
  last: CheckRequest | undefined;
  calls = 0;
  /** What it decides. */
  decide: (request: CheckRequest) => Verdict | undefined = () => ({ status: { code: 0 } });
  readonly #server = new Server({ 'grpc.enable_channelz': 0 });

  async start(): Promise<this> {
    const asIs = (bytes: Buffer): Buffer => bytes;
    const check = {
      path: '/envoy.service.auth.v3.Authorization/Check',
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    this.#server.addService({ Check: check }, { Check: this.#check });
    const port = await new Promise<number>((resolve, reject) => {
      const credentials = ServerCredentials.createInsecure();
      this.#server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    this.url = `grpc://127.0.0.1:${port}`;
    return this;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  readonly #check = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void => {
    this.calls += 1;
    this.last = fromBinary(CheckRequestSchema, call.request);
    const verdict = this.decide(this.last);
    // Undefined: it stays silent.
    if (verdict !== undefined)
      answer(null, Buffer.from(toBinary(CheckResponseSchema, create(CheckResponseSchema, verdict))));
  };
}
