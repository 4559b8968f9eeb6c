import { createUnionType, Field, InputType, Int, ObjectType } from '@nestjs/graphql';
import { ExpectedErrorType, InputFaultType } from '../../bff/graphql/execution/expected-error.ts';
import { OrderType } from './orders.types.ts';

/** One line of a new order. What may be in it says the schema that REST uses too. */
@InputType('OrderItemInput', { description: 'One line of a new order.' })
export class OrderItemInput {
  @Field({ description: 'The stock-keeping unit.' })
  readonly sku!: string;

  @Field(() => Int, { description: '1 to 1000.' })
  readonly quantity!: number;
}

/** A new order. */
@InputType('PlaceOrderInput', { description: 'A new order.' })
export class PlaceOrderInput {
  @Field(() => [OrderItemInput], { description: '1 to 100.' })
  readonly items!: readonly OrderItemInput[];

  @Field(() => String, { nullable: true, description: 'At most 500 characters.' })
  readonly note?: string | null;
}

/** The input is not that of an order. */
@ObjectType('InvalidOrder', {
  implements: () => [ExpectedErrorType],
  description: 'The input is not that of an order: a wrong quantity, an unknown SKU.',
})
export class InvalidOrderType extends ExpectedErrorType {
  @Field(() => [InputFaultType], { description: 'What is wrong where; at most 50.' })
  readonly faults!: readonly InputFaultType[];
}

/** There is not enough of something. */
@ObjectType('OutOfStock', {
  implements: () => [ExpectedErrorType],
  description: 'There is not enough of something that was ordered.',
})
export class OutOfStockType extends ExpectedErrorType {
  @Field({ description: 'What there is not enough of.' })
  readonly sku!: string;

  @Field(() => Int, { nullable: true, description: 'How many are left; null when the service does not say.' })
  readonly available!: number | null;
}

/** What `placeOrder` answers. */
export const PlaceOrderResult = createUnionType({
  name: 'PlaceOrderResult',
  description: 'The order that was placed, or why none was.',
  types: () => [OrderType, InvalidOrderType, OutOfStockType] as const,
});

type Tagged<Name extends string, Data> = Data & { readonly __typename: Name };

/** What `placeOrder` answers, as data: `__typename` says which member of the union it is. */
export type PlaceOrderOutcome =
  | Tagged<'Order', OrderType>
  | Tagged<'InvalidOrder', InvalidOrderType>
  | Tagged<'OutOfStock', OutOfStockType>;
