import { z } from 'zod';

/** The statuses of an order as clients write and read them. */
export const ORDER_STATUSES = ['pending', 'paid', 'shipped', 'cancelled'] as const;

/** What `GET /api/v1/orders` takes; a name it does not know is a mistake, not a wish. */
export const listOrdersQuery = z.strictObject({
  pageSize: z.coerce.number().int().min(1).max(100).default(20),
  pageToken: z.string().max(256).default(''),
  status: z.enum(ORDER_STATUSES).optional(),
});

/** The parsed query. */
export type ListOrdersQuery = z.output<typeof listOrdersQuery>;

/** What `POST /api/v1/orders` takes. */
export const newOrderBody = z
  .strictObject({
    items: z
      .array(z.strictObject({ sku: z.string().min(1).max(64), quantity: z.int().min(1).max(1000) }))
      .min(1)
      .max(100),
    note: z.string().max(500).optional(),
  })
  .meta({ id: 'NewOrder' });

/** The parsed body. */
export type NewOrderBody = z.output<typeof newOrderBody>;

/** An order as clients see it. */
export const orderBody = z
  .object({
    id: z.string(),
    userId: z.string(),
    status: z
      .enum([...ORDER_STATUSES, 'unknown'])
      .describe('`unknown` for a status that is newer than this gateway.'),
    items: z.array(z.object({ sku: z.string(), quantity: z.int() }).readonly()).readonly(),
    totalCents: z
      .string()
      .describe(
        'Hundredths of the currency unit, as a decimal string: an int64 does not fit a JSON number safely.',
      ),
    currency: z.string().describe('ISO 4217.'),
    createdAt: z.iso.datetime().describe('ISO 8601, UTC.'),
    note: z.string().exactOptional(),
  })
  .readonly()
  .meta({ id: 'Order' });

/** An order as clients see it. */
export type OrderBody = z.output<typeof orderBody>;

/** A page of orders as clients see it. */
export const orderPageBody = z
  .object({
    orders: z.array(orderBody).readonly(),
    nextPageToken: z.string().describe('Asks for the next page; absent on the last one.').exactOptional(),
  })
  .readonly()
  .meta({ id: 'OrderPage' });

/** A page of orders as clients see it. */
export type OrderPageBody = z.output<typeof orderPageBody>;
