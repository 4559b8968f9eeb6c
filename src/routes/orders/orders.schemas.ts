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
export const newOrderBody = z.strictObject({
  items: z
    .array(z.strictObject({ sku: z.string().min(1).max(64), quantity: z.int().min(1).max(1000) }))
    .min(1)
    .max(100),
  note: z.string().max(500).optional(),
});

/** The parsed body. */
export type NewOrderBody = z.output<typeof newOrderBody>;

/** An order as clients see it. */
export interface OrderBody {
  readonly id: string;
  readonly userId: string;
  /** `unknown` for a status that is newer than this gateway. */
  readonly status: (typeof ORDER_STATUSES)[number] | 'unknown';
  readonly items: readonly { readonly sku: string; readonly quantity: number }[];
  /** Hundredths of the currency unit, as a decimal string: an int64 does not fit a JSON number safely. */
  readonly totalCents: string;
  /** ISO 4217. */
  readonly currency: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly note?: string;
}

/** A page of orders as clients see it. */
export interface OrderPageBody {
  readonly orders: readonly OrderBody[];
  /** Asks for the next page; absent on the last one. */
  readonly nextPageToken?: string;
}
