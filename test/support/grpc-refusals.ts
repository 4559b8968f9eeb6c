import { Server, ServerCredentials, type sendUnaryData, type status } from '@grpc/grpc-js';
import { serveMethods } from '../../examples/services/grpc-definition.ts';
import { Orders } from '../../src/routes/services/gen/shop/v1/orders_pb.ts';

/** A gRPC service that answers every call of `shop.v1.Orders` with one status. */
export interface GrpcRefusals {
  readonly url: string;
  /** What it answers with; can be changed while it runs. */
  code: status;
  stop(): void;
}

/** Starts it on a free port. */
export async function startGrpcRefusals(code: status): Promise<GrpcRefusals> {
  const server = new Server();
  const unused = (): never => {
    throw new Error('the handlers below answer instead');
  };
  const served = serveMethods(Orders, { listOrders: unused, getOrder: unused, createOrder: unused } as never);
  const refuse = (_call: unknown, answer: sendUnaryData<unknown>): void =>
    answer({ code: refusals.code, details: 'words of the service' });
  for (const [name, { definition }] of Object.entries(served))
    server.addService({ [name]: definition }, { [name]: refuse });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const refusals: GrpcRefusals = {
    url: `grpc://127.0.0.1:${port}`,
    code,
    stop: () => server.forceShutdown(),
  };
  return refusals;
}
