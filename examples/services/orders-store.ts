import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  OrderSchema,
  OrderStatus,
  type Order,
  type OrderItem,
} from '../../src/routes/services/gen/shop/v1/orders_pb.ts';

/** The most orders kept; the oldest are forgotten first. */
const MAX_ORDERS = 10_000;
const FIRST_PLACED = Date.UTC(2026, 9, 1, 9);
const DAY_MS = 86_400_000;

/** Prices in cents by SKU. */
export const CATALOG: ReadonlyMap<string, number> = new Map([
  ['BOOK-1', 1_990],
  ['LAMP-7', 4_500],
  ['MUG-3', 1_250],
  ['DESK-2', 24_900],
  ['CLOCK-9', 9_900],
]);

/** How many there are of what does not come back; there is no end of everything else. */
const STOCK: ReadonlyMap<string, number> = new Map([['CLOCK-9', 3]]);

type Item = MessageInitShape<typeof OrderSchema>['items'];

/** The orders in memory. Stored orders never change, so answers made of them can be kept. */
export class OrdersStore {
  readonly #byId = new Map<string, Order>();
  readonly #stock = new Map(STOCK);
  #newestFirst: Order[] | undefined;
  #lastNumber = 1000;

  constructor() {
    for (const [index, [userId, status, items]] of SEED.entries()) {
      this.#put(userId, status, items, FIRST_PLACED + index * DAY_MS);
    }
  }

  /** One order, whoever owns it. */
  get(id: string): Order | undefined {
    return this.#byId.get(id);
  }

  /** All orders, newest first. */
  all(): readonly Order[] {
    return (this.#newestFirst ??= [...this.#byId.values()].reverse());
  }

  /** How many of a SKU are left. */
  available(sku: string): number {
    return this.#stock.get(sku) ?? Infinity;
  }

  /** Places an order; its SKUs must be in the {@link CATALOG}, and available. */
  place(userId: string, items: readonly OrderItem[], note: string | undefined): Order {
    for (const { sku, quantity } of items)
      if (this.#stock.has(sku)) this.#stock.set(sku, this.available(sku) - quantity);
    return this.#put(userId, OrderStatus.PENDING, [...items], Date.now(), note);
  }

  #put(userId: string, status: OrderStatus, items: Item, placedMs: number, note?: string): Order {
    const order = create(OrderSchema, {
      id: `ord-${(this.#lastNumber += 1)}`,
      userId,
      status,
      items: items ?? [],
      totalCents: totalCents(items),
      currency: 'EUR',
      createdAt: timestampFromMs(placedMs),
      ...(note === undefined ? {} : { note }),
    });
    this.#byId.set(order.id, order);
    this.#newestFirst = undefined;
    if (this.#byId.size > MAX_ORDERS) this.#byId.delete(this.#byId.keys().next().value ?? '');
    return order;
  }
}

function totalCents(items: Item): bigint {
  let total = 0n;
  for (const { sku = '', quantity = 0 } of items ?? [])
    total += BigInt(CATALOG.get(sku) ?? 0) * BigInt(quantity);
  return total;
}

/** Oldest first; they become `ord-1001` and so on. */
const SEED: readonly [userId: string, status: OrderStatus, items: NonNullable<Item>][] = [
  ['2', OrderStatus.SHIPPED, [{ sku: 'BOOK-1', quantity: 2 }]],
  ['1', OrderStatus.SHIPPED, [{ sku: 'DESK-2', quantity: 1 }]],
  ['2', OrderStatus.CANCELLED, [{ sku: 'LAMP-7', quantity: 1 }]],
  ['3', OrderStatus.PAID, [{ sku: 'MUG-3', quantity: 4 }]],
  [
    '2',
    OrderStatus.PAID,
    [
      { sku: 'LAMP-7', quantity: 1 },
      { sku: 'BOOK-1', quantity: 1 },
    ],
  ],
  ['4', OrderStatus.PENDING, [{ sku: 'BOOK-1', quantity: 10 }]],
  ['1', OrderStatus.PENDING, [{ sku: 'MUG-3', quantity: 1 }]],
  [
    '2',
    OrderStatus.PENDING,
    [
      { sku: 'DESK-2', quantity: 1 },
      { sku: 'LAMP-7', quantity: 2 },
    ],
  ],
];
