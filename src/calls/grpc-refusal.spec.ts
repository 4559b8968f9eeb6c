import { create } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { GrpcError } from '../../examples/services/grpc-caller.ts';
import { Problem } from '../problems/problem.ts';
import { BadRequestSchema, ErrorInfoSchema } from '../upstreams/grpc/gen/google/rpc/error_details_pb.ts';
import { RefusedCall } from '../upstreams/grpc/grpc-faults.ts';
import { Orders } from '../routes/services/gen/shop/v1/orders_pb.ts';
import { grpcRefusalOf } from './grpc-refusal.ts';

/** The end of a call, as a service that throws this makes it. */
function refused(error: GrpcError): RefusedCall {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const typed = Buffer.isBuffer(bytes) ? bytes.toString('base64').replace(/=+$/, '') : undefined;
  return new RefusedCall({ code: error.code, details: error.details, typed });
}

const { input } = Orders.method.createOrder;
const info = create(ErrorInfoSchema, { reason: 'SOLD_OUT', domain: 'd', metadata: { sku: 'A' } });
const bad = create(BadRequestSchema, {
  fieldViolations: [{ field: 'items[1].sku', description: 'is unknown' }],
});

describe(grpcRefusalOf.name, () => {
  it('reads reason, metadata and faults of fields from the details of a status', () => {
    const cause = new GrpcError(status.FAILED_PRECONDITION, 'secret', [
      [ErrorInfoSchema, info],
      [BadRequestSchema, bad],
    ]);
    const problem = new Problem('request-invalid', { cause: refused(cause) });
    expect(grpcRefusalOf(problem, input)).toEqual({
      status: 'FAILED_PRECONDITION',
      reason: 'SOLD_OUT',
      metadata: { sku: 'A' },
      faults: [{ pointer: '/items/1/sku', message: 'is unknown' }],
    });
  });

  it('reads a status without details, and one whose details are broken', () => {
    const plain = new GrpcError(status.INVALID_ARGUMENT, 'secret');
    const broken = new GrpcError(status.INVALID_ARGUMENT, 'secret');
    broken.metadata.set('grpc-status-details-bin', Buffer.of(0x0a, 0xff));
    for (const cause of [plain, broken]) {
      const problem = new Problem('request-invalid', { cause: refused(cause) });
      expect(grpcRefusalOf(problem, input)).toEqual({
        status: 'INVALID_ARGUMENT',
        reason: undefined,
        metadata: {},
        faults: [],
      });
    }
  });

  it.each([
    [new Problem('upstream-timeout')],
    [new Problem('request-invalid', { cause: new Error('of our own') })],
    [
      new Problem('request-invalid', {
        cause: new GrpcError(status.INVALID_ARGUMENT, 'of another transport'),
      }),
    ],
    [new GrpcError(status.INVALID_ARGUMENT, 'not a problem')],
    [undefined],
  ])('says nothing of %s', (error) => {
    expect(grpcRefusalOf(error, input)).toBeUndefined();
  });
});
