import { Query } from '@nestjs/graphql';
import type { OperationContext } from '../../bff/graphql/execution/operation-context.ts';
import { ViewResolver } from '../../bff/graphql/fields/view-resolver.ts';
import type { ViewRun } from '../../bff/view-run.ts';
import { Views } from '../../bff/views.ts';
import { homepageInput } from './homepage.input.ts';
import { HomepageType } from './homepage.types.ts';
import { Homepage } from './homepage.view.ts';

/**
 * The homepage over GraphQL: only the sections that a query selects are called. It is the view of no kind of client,
 * because what small screens leave out over REST, their queries leave out here.
 */
@ViewResolver(Homepage, () => HomepageType)
export class HomepageResolver {
  constructor(private readonly views: Views) {}

  /**
   * Starts the view; nullable, so that its failure costs the other fields of the query nothing. Without parameter
   * decorators Nest calls it directly, which is a tenth of what the gateway adds to this query.
   */
  @Query(() => HomepageType, { nullable: true, description: 'The first screen of the caller.' })
  homepage(_parent: unknown, _args: unknown, { exchange }: OperationContext): ViewRun {
    return this.views.start(Homepage, homepageInput(exchange), exchange);
  }
}
