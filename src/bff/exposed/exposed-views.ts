import { Inject, type DynamicModule, type OnApplicationBootstrap, type Type } from '@nestjs/common';
import { maskedSections } from '../graphql/types/masked-places.ts';
import type { ExposedQuery, ExposedView } from '../exposed-view.ts';
import { policyList, type PolicyName } from '../../policies/order.ts';
import { ViewGuards } from '../view-guards.ts';
import { ViewsModule } from '../views.module.ts';
import { controllerOf, queryResolverOf } from './exposed-classes.ts';
import { checkQuery } from './exposed-query.ts';
import { pageType, resolverOf } from './page-type.ts';

/**
 * A module of Nest with the route and the query of each view, for `imports`. They are handlers and resolvers as those of a
 * team, so that whatever holds for these holds for them: policies, contracts, listings, limits.
 *
 * @throws {Error} listing all that keeps a view from being shown by GraphQL, with the path in its schema.
 */
export function exposedViews(...views: readonly ExposedView[]): DynamicModule {
  views.forEach(checkQuery);
  const masked = views.flatMap(masksOf);
  class ExposedViewsModule implements OnApplicationBootstrap {
    constructor(@Inject(ViewGuards) private readonly guards: ViewGuards) {}

    onApplicationBootstrap(): void {
      // Fails closed: it is the fields of GraphQL that masks stand on, on every face.
      if (masked.length === 0 || this.guards.isFilled) return;
      throw new Error(
        `${masked.join(', ')}: nobody would keep the mask, because there is no GraphQL door; say \`graphql: true\` of the module`,
      );
    }
  }
  return {
    module: ExposedViewsModule,
    imports: [ViewsModule],
    controllers: views.map(controllerOf),
    providers: views.flatMap(resolversOf),
  };
}

function resolversOf(exposed: ExposedView): readonly Type[] {
  const { view, options } = exposed;
  const query = queryOf(options.graphql);
  if (query === undefined) return mustBeOpen(exposed, 'without `graphql`');
  mustHoldOnQuery(exposed, query);
  const { type } = query;
  if (type !== undefined) {
    mustBeOpen(exposed, 'with a type that is written by hand');
    return [resolverOf(view, type()), queryResolverOf(exposed, query, type())];
  }
  const faults: string[] = [];
  const page = pageType(view, { sections: options.sections, description: query.typeDescription }, faults);
  if (faults.length > 0)
    throw new Error(`the view ${view.name} cannot be shown by GraphQL:\n${faults.join('\n')}`);
  return [...page.resolvers, queryResolverOf(exposed, query, page.type)];
}

function masksOf({ view, options }: ExposedView): readonly string[] {
  return maskedSections(view, options.sections);
}

// Fails closed: it is the fields of the type made of a schema that its masks stand on, on every face.
function mustBeOpen(exposed: ExposedView, how: string): readonly never[] {
  const masked = masksOf(exposed);
  if (masked.length === 0) return [];
  throw new Error(
    `${masked.join(', ')}: a mask of a schema holds where GraphQL shows it; the view is exposed ${how}`,
  );
}

// Fails closed: who is kept out of the route would come in by the query.
function mustHoldOnQuery({ view, options }: ExposedView, query: ExposedQuery): void {
  if (query.policies !== undefined) return;
  const lost = policyList.filter(({ name, guards, onFields }) => {
    const said: unknown = options.policies?.[name as PolicyName];
    return guards === true && onFields === undefined && said !== undefined && said !== 'off';
  });
  if (lost.length === 0) return;
  throw new Error(
    `the view ${view.name}: ${lost.map(({ name }) => `"${name}"`).join(', ')} would not hold on its query "${query.query}": say what does, \`graphql: { query, policies }\`, or leave out \`graphql\``,
  );
}

function queryOf(said: string | ExposedQuery | undefined): ExposedQuery | undefined {
  return typeof said === 'string' ? { query: said } : said;
}
