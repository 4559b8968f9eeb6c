import { Orders } from './gen/shop/v1/orders_pb.ts';
import { grpcUpstream } from '../../calls/grpc-upstream.ts';

const orders = grpcUpstream('orders');

/** Lists the orders that the caller may see, newest first. */
export const listOrders = orders.unary('orders.list', Orders.method.listOrders, { idempotent: true });

/** Reads one order; `resource-not-found` when it does not exist or belongs to somebody else. */
export const getOrder = orders.unary('orders.get', Orders.method.getOrder, { idempotent: true });

/** Places an order for the caller; never repeated once a service may have seen it. */
export const createOrder = orders.unary('orders.create', Orders.method.createOrder);
