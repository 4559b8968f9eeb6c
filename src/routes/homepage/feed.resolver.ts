import { Args, Int, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Calls } from '../../bff/graphql/fields/calls.decorator.ts';
import type { OperationContext } from '../../bff/graphql/execution/operation-context.ts';
import { Caller } from '../../calls/caller.ts';
import { getFeed, type FeedItem } from '../services/feed.calls.ts';
import { getUser } from '../services/users.calls.ts';
import { CurrentExchange } from '../../exchange/exchange-of.ts';
import { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { homepageInput } from './homepage.input.ts';
import { AuthorType, FeedItemType } from './homepage.types.ts';

const MOST_ITEMS = 50;
/** As long as the homepage waits for the feed. */
const BUDGET_MS = 500;

/** The feed as a list of its own, and who wrote its items, wherever an item appears. */
@Resolver(() => FeedItemType)
export class FeedResolver {
  constructor(private readonly caller: Caller) {}

  /** Nullable, so that its failure costs the other fields of the query nothing. */
  @Query(() => [FeedItemType], { nullable: true, description: 'What is new for the caller, newest first.' })
  async feed(
    @Args('first', { type: () => Int, defaultValue: 10, description: `From 1 to ${MOST_ITEMS}.` })
    first: number,
    @CurrentExchange() exchange: Exchange,
  ): Promise<readonly FeedItem[]> {
    if (first < 1 || first > MOST_ITEMS)
      throw new Problem('request-invalid', { detail: `first: expected 1 to ${MOST_ITEMS}` });
    const input = { user: homepageInput(exchange).userId, first };
    return (await this.caller.call(getFeed, input, { exchange, timeoutMs: BUDGET_MS })).items;
  }

  /**
   * One call for the authors of all items of a query, because `getUser` has `batch`. It runs once for each item:
   * without parameter decorators Nest calls it directly.
   */
  @Calls(getUser)
  @ResolveField(() => AuthorType, { nullable: true, description: 'Who published it.' })
  author(item: FeedItem, _args: unknown, { exchange }: OperationContext): Promise<AuthorType> {
    return this.caller.call(getUser, { id: item.authorId }, { exchange, timeoutMs: BUDGET_MS });
  }
}
