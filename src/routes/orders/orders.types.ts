import { Field, ID, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { OrderBody } from './orders.schemas.ts';

const ORDER_STATUS = {
  PENDING: 'pending',
  PAID: 'paid',
  SHIPPED: 'shipped',
  CANCELLED: 'cancelled',
  UNKNOWN: 'unknown',
} as const satisfies Record<string, OrderBody['status']>;

registerEnumType(ORDER_STATUS, {
  name: 'OrderStatus',
  description: 'How far an order got.',
  valuesMap: { UNKNOWN: { description: 'A status that is newer than this gateway.' } },
});

/** One line of an order. */
@ObjectType('OrderItem', { description: 'One line of an order.' })
export class OrderItemType {
  @Field({ description: 'The stock-keeping unit.' })
  readonly sku!: string;

  @Field(() => Int)
  readonly quantity!: number;
}

/** An order; the same data as over REST. */
@ObjectType('Order', { description: 'What a customer bought, and how far it got.' })
export class OrderType implements OrderBody {
  @Field(() => ID)
  readonly id!: string;

  @Field(() => ID, { description: 'Who placed it.' })
  readonly userId!: string;

  @Field(() => ORDER_STATUS)
  readonly status!: OrderBody['status'];

  @Field(() => [OrderItemType])
  readonly items!: readonly OrderItemType[];

  @Field({ description: 'Hundredths of the currency unit, as a decimal string.' })
  readonly totalCents!: string;

  @Field({ description: 'ISO 4217.' })
  readonly currency!: string;

  @Field({ description: 'ISO 8601, UTC.' })
  readonly createdAt!: string;

  @Field(() => String, { nullable: true, description: 'What the customer wrote along with it.' })
  readonly note?: string;
}
