import { Args, ID, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Cost } from '../../bff/graphql/documents/cost.decorator.ts';
import { Caller } from '../../calls/caller.ts';
import { getOrder } from '../services/orders.calls.ts';
import { CurrentExchange } from '../../exchange/exchange-of.ts';
import { Exchange } from '../../exchange/exchange.ts';
import { Authentication } from '../../policies/authentication/authentication.policy.ts';
import { Authorization } from '../../policies/authorization/authorization.policy.ts';
import { RateLimit } from '../../policies/rate-limit/rate-limit.policy.ts';
import { toOrderBody } from './orders.mapper.ts';
import type { OrderBody } from './orders.schemas.ts';
import { OrderType } from './orders.types.ts';
import { placeOrder } from './place-order.ts';
import { PlaceOrderInput, PlaceOrderResult, type PlaceOrderOutcome } from './place-order.types.ts';

/** Orders over GraphQL, with the calls, schemas and policies of {@link OrdersController}. */
@Resolver()
@Authentication({ schemes: ['jwt'] })
export class OrdersResolver {
  constructor(private readonly caller: Caller) {}

  /** Shows one order. */
  @Query(() => OrderType, { nullable: true, description: 'An order that the caller may see.' })
  @RateLimit({ rate: 600, per: '1m', burst: 100 })
  async order(
    @Args('id', { type: () => ID }) id: string,
    @CurrentExchange() exchange: Exchange,
  ): Promise<OrderBody> {
    const { order } = await this.caller.call(getOrder, { id }, { exchange, timeoutMs: 3000 });
    return toOrderBody(order);
  }

  /** Places an order. */
  @Mutation(() => PlaceOrderResult, { nullable: true, description: 'Places an order for the caller.' })
  @Authorization({ anyRole: ['user', 'admin'] })
  @RateLimit({ rate: 60, per: '1m', burst: 10 })
  @Cost({ weight: 10 })
  placeOrder(
    @Args('input') input: PlaceOrderInput,
    @CurrentExchange() exchange: Exchange,
  ): Promise<PlaceOrderOutcome> {
    return placeOrder(this.caller, input, exchange);
  }
}
