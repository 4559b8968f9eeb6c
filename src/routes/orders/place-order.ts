import type { Caller } from '../../calls/caller.ts';
import { Orders } from '../services/gen/shop/v1/orders_pb.ts';
import { grpcRefusalOf } from '../../calls/grpc-refusal.ts';
import { createOrder } from '../services/orders.calls.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { faultsOf, type SchemaFault } from '../../policies/validation/schema.pipe.ts';
import { toCreateRequest, toOrderBody } from './orders.mapper.ts';
import { newOrderBody } from './orders.schemas.ts';
import type { PlaceOrderInput, PlaceOrderOutcome } from './place-order.types.ts';

/** As long as the route over REST has. */
const TIMEOUT_MS = 3000;

/**
 * Places an order: the schema and the call of `POST /api/v1/orders`, and like there the call is never repeated once
 * a service may have seen it. What the client can mend is an outcome.
 *
 * @throws {Problem} for everything else.
 */
export async function placeOrder(
  caller: Caller,
  { items, note }: PlaceOrderInput,
  exchange: Exchange,
): Promise<PlaceOrderOutcome> {
  // In GraphQL, null is a way to leave something out.
  const parsed = newOrderBody.safeParse({ items, note: note ?? undefined });
  if (!parsed.success) return invalidOrder(faultsOf(parsed.error.issues));
  try {
    const context = { exchange, timeoutMs: TIMEOUT_MS };
    const { order } = await caller.call(createOrder, toCreateRequest(parsed.data), context);
    return { __typename: 'Order', ...toOrderBody(order) };
  } catch (error) {
    const expected = expectedError(error);
    if (expected === undefined) throw error;
    return expected;
  }
}

function expectedError(error: unknown): PlaceOrderOutcome | undefined {
  const refusal = grpcRefusalOf(error, Orders.method.createOrder.input);
  if (refusal?.status === 'INVALID_ARGUMENT') return invalidOrder(refusal.faults);
  if (refusal?.reason !== 'OUT_OF_STOCK') return undefined;
  const { sku = '', available } = refusal.metadata;
  return {
    __typename: 'OutOfStock',
    code: 'out-of-stock',
    message: 'There is not enough of something that was ordered.',
    sku,
    available: /^\d{1,9}$/.test(available ?? '') ? Number(available) : null,
  };
}

function invalidOrder(faults: readonly SchemaFault[]): PlaceOrderOutcome {
  return {
    __typename: 'InvalidOrder',
    code: 'invalid-order',
    message: 'The input is not that of an order.',
    faults,
  };
}
