import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type {} from 'fastify';
import type { Exchange } from './exchange.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Written by the open stage before anything else runs. */
    exchange: Exchange;
  }
}

/** What the GraphQL driver puts on the context of an operation. */
export interface GraphqlContext {
  readonly exchange: Exchange;
}

/** Returns the exchange of an execution context; the only function that tells HTTP from GraphQL. */
export function exchangeOf(context: ExecutionContext): Exchange {
  return context.getType<string>() === 'graphql'
    ? context.getArgByIndex<GraphqlContext>(2).exchange
    : context.switchToHttp().getRequest<{ exchange: Exchange }>().exchange;
}

/** Injects the exchange into a handler's parameter. */
export const CurrentExchange = createParamDecorator((_: unknown, context: ExecutionContext) =>
  exchangeOf(context),
);
