import { Body, Controller, Get, Module, Param, Post, Query as FromQuery } from '@nestjs/common';
import { Field, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { z } from 'zod';
import { Cost } from '../../src/bff/graphql/documents/cost.decorator.ts';
import { OncePerElement } from '../../src/bff/graphql/fields/calls.decorator.ts';
import { View } from '../../src/bff/view.ts';
import { grpcUpstream } from '../../src/calls/grpc-upstream.ts';
import { httpUpstream } from '../../src/calls/http-upstream.ts';
import type { GatewayModule } from '../../src/config/gateway-module.ts';
import { Answers } from '../../src/contracts/answers.decorator.ts';
import { Authentication } from '../../src/policies/authentication/authentication.policy.ts';
import { Deadline } from '../../src/policies/deadline/deadline.policy.ts';
import { RateLimit } from '../../src/policies/rate-limit/rate-limit.policy.ts';
import { Orders } from '../../src/routes/services/gen/shop/v1/orders_pb.ts';

// What is wrong stands in the line of a comment that names it, or in the one below it; the table of the spec knows the names.
const decode = z.object({ id: z.string() });
const users = httpUpstream('users');
export const getUser = users.get<{ id: string }, { id: string }>('users.get', '/users/{id}', { decode });
export const twice = users.get<{ id: string }, object>('users.get', '/u/{id}', { decode }); // call name
export const lost = httpUpstream('usres').get<object, object>('usres.list', '/users', { decode }); // call upstream
export const other = grpcUpstream('users').unary('users.grpc', Orders.method.getOrder); // call protocol
export const written = users.post<object, object>('users.add', '/users', { decode, memo: true }); // call option
export const pathless = users.get<object, object>('users.path', 'users', { decode }); // call path

export const Page = View.define('Page')
  .input<{ id: string }>()
  .required('user', getUser, ({ input }) => input)
  .list('each', getUser, ({ input }) => [input]) // section list
  .section('slow', () => 1, { budget: '0s' }) // section budget
  .section('user' as never, () => 2) // section name
  .section('circle', undefined as never); // section source

@RateLimit({ key: 'ip', rte: 5, per: '1m' } as never)
@Controller('limited')
// below: decorator key
class LimitedController {
  @Get()
  get(): string {
    return '';
  }
}

@Authentication('public')
@Controller('open')
class OpenController {
  @Post('body')
  body(@Body() _body: object): void {} // body

  @Get('query')
  query(@FromQuery() _query: object): void {} // query

  @Get('param/:id')
  param(@Param() _all: object): void {} // param

  @Get('number/:id')
  number(@Param('id') _id: number): void {} // number

  @Deadline('1 fortnight' as never)
  @Get('late')
  late(): void {} // decorator value

  @Deadline('1s')
  helper(): void {} // decorator place

  @Get('same')
  first(): void {}

  @Answers(z.object({ id: z.string() }).meta({ id: 'WrongThing' }))
  @Get('one')
  one(): void {}

  @Answers(z.object({ name: z.string() }).meta({ id: 'WrongThing' }))
  @Get('two')
  two(): void {} // component
}

@Authentication('public')
@Controller('open')
class RivalController {
  @Get('same')
  second(): void {} // path
}

@ObjectType('WrongType')
class OneType {
  @Field(() => String)
  readonly id!: string;
}

@ObjectType('WrongType')
// below: type
class OtherType {
  @Field(() => String)
  readonly name!: string;
}

@Resolver()
class WrongResolver {
  @Query(() => OneType)
  wrongOne(): object {
    return {};
  }

  @Cost({ weight: -1 })
  @Query(() => OtherType)
  // below: cost
  wrongOther(): object {
    return {};
  }

  @OncePerElement({ atMost: 0, because: 'there are few' })
  @Deadline('1s')
  @Query(() => String)
  // below: resolver
  wrongText(): string {
    return '';
  }
}

@Module({ controllers: [LimitedController, OpenController, RivalController], providers: [WrongResolver] })
class WrongModule {}

export const modules: readonly GatewayModule[] = [{ name: 'wrong', module: WrongModule, graphql: true }];
