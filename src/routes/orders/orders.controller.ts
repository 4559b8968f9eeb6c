import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller } from '../../calls/caller.ts';
import { createOrder, getOrder, listOrders } from '../services/orders.calls.ts';
import { Answers } from '../../contracts/answers.decorator.ts';
import { CurrentExchange } from '../../exchange/exchange-of.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Authentication } from '../../policies/authentication/authentication.policy.ts';
import { Authorization } from '../../policies/authorization/authorization.policy.ts';
import { CircuitBreaker } from '../../policies/circuit-breaker/circuit-breaker.policy.ts';
import { Deadline } from '../../policies/deadline/deadline.policy.ts';
import { RateLimit } from '../../policies/rate-limit/rate-limit.policy.ts';
import { toCreateRequest, toListRequest, toOrderBody, toPageBody } from './orders.mapper.ts';
import { listOrdersQuery, newOrderBody, orderBody, orderPageBody } from './orders.schemas.ts';
import type { ListOrdersQuery, NewOrderBody, OrderBody, OrderPageBody } from './orders.schemas.ts';

/** Orders over REST, translated to the gRPC service. The service decides whose orders a caller sees. */
@Controller('api/v1/orders')
// Orders belong to users; an API key stands for an application, which has none.
@Authentication({ schemes: ['jwt'] })
@Deadline('3s')
@CircuitBreaker({ errorRate: '50%', window: 50, openFor: '10s' })
export class OrdersController {
  constructor(private readonly caller: Caller) {}

  /** Lists the caller's orders, newest first. */
  @Get()
  @Answers(orderPageBody, { summary: 'List orders', calls: [listOrders] })
  @RateLimit({ rate: 600, per: '1m', burst: 100 })
  async list(
    @Query({ schema: listOrdersQuery }) query: ListOrdersQuery,
    @CurrentExchange() exchange: Exchange,
  ): Promise<OrderPageBody> {
    return toPageBody(
      await this.caller.call(listOrders, toListRequest(query), { exchange, timeoutMs: Infinity }),
    );
  }

  /** Shows one order. */
  @Get(':id')
  @Answers(orderBody, { summary: 'Show an order', calls: [getOrder] })
  @RateLimit({ rate: 600, per: '1m', burst: 100 })
  async get(@Param('id') id: string, @CurrentExchange() exchange: Exchange): Promise<OrderBody> {
    const { order } = await this.caller.call(getOrder, { id }, { exchange, timeoutMs: Infinity });
    return toOrderBody(order);
  }

  /** Places an order. */
  @Post()
  @Answers(orderBody, {
    summary: 'Place an order',
    headers: { location: 'Where the order can be read.' },
    calls: [createOrder],
  })
  @Authorization({ anyRole: ['user', 'admin'] })
  @RateLimit({ rate: 60, per: '1m', burst: 10 })
  async create(
    @Body({ schema: newOrderBody }) body: NewOrderBody,
    @CurrentExchange() exchange: Exchange,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrderBody> {
    const answer = await this.caller.call(createOrder, toCreateRequest(body), {
      exchange,
      timeoutMs: Infinity,
    });
    const order = toOrderBody(answer.order);
    void reply.header('location', `/api/v1/orders/${encodeURIComponent(order.id)}`);
    return order;
  }
}
