import { Controller, Get, Inject, Param, Query as QueryOf, Res, type Type } from '@nestjs/common';
import { Args, ID, Query, Resolver } from '@nestjs/graphql';
import { declareView } from '../../contracts/answers.decorator.ts';
import { CurrentExchange } from '../../exchange/exchange-of.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { policyRegistry, type PolicyName } from '../../policies/order.ts';
import type { Policy } from '../../policies/policy.ts';
import type { OperationContext } from '../graphql/execution/operation-context.ts';
import type { ExposedOptions, ExposedQuery, ExposedView } from '../exposed-view.ts';
import type { ViewRun } from '../view-run.ts';
import { Views, type ViewReply } from '../views.ts';
import { inputOf, parameterNames, parameterSchema } from './exposed-input.ts';
import { queryArguments, querySchema, readArguments, readQuery, takesQuery } from './exposed-query.ts';

type Values = Readonly<Record<string, unknown>>;

/** The controller that a team would have written for a view. */
export function controllerOf({ view, shapes, options }: ExposedView): Type {
  const names = parameterNames(options.rest);
  class ExposedController {
    constructor(readonly views: Views) {}

    show(exchange: Exchange, reply: ViewReply, ...values: unknown[]): Promise<object | undefined> {
      // The query stands behind the parameters of the path.
      const texts = values[names.length] as Values | undefined;
      const query = texts === undefined ? undefined : readQuery(options, texts);
      const input = inputOf(options, exchange, values, query);
      return this.views.answer(shapes as typeof view, input, exchange, reply);
    }
  }
  const { prototype } = ExposedController;
  const method = named(ExposedController, `${view.name}Controller`, 'show');
  // From the last one to the first, as the compiler decorates: documents go by that.
  if (takesQuery(options))
    QueryOf({ schema: querySchema(options) as never })(prototype, 'show', names.length + 2);
  names
    .map((name, index) => ({ name, index: index + 2 }))
    .toReversed()
    .forEach(({ name, index }) =>
      Param(name, { schema: parameterSchema(options, name) })(prototype, 'show', index),
    );
  Res({ passthrough: true })(prototype, 'show', 1);
  CurrentExchange()(prototype, 'show', 0);
  Get(options.rest.replace(/\{([^}]*)\}/g, ':$1'))(prototype, 'show', method);
  const { sections = {} } = options;
  declareView(shapes, sections, { ...options, streamed: true })(prototype, 'show', method);
  Controller()(ExposedController);
  for (const [policy, said] of policiesOf(view.name, options))
    policy.decorator(said as never)(ExposedController);
  return ExposedController as unknown as Type;
}

/** The resolver that a team would have written for its query. */
export function queryResolverOf(exposed: ExposedView, query: ExposedQuery, type: Type): Type {
  const { view, options } = exposed;
  const names = parameterNames(options.rest);
  const more = queryArguments(exposed);
  // Without parameter decorators Nest calls it directly.
  class DirectResolver {
    constructor(readonly views: Views) {}

    show(_parent: unknown, _args: unknown, { exchange }: OperationContext): ViewRun {
      return this.views.start(view, inputOf(options, exchange, []), exchange);
    }
  }
  class ArgumentsResolver {
    constructor(readonly views: Views) {}

    show(exchange: Exchange, ...values: unknown[]): ViewRun {
      const said = more.map(({ name }, index) => [name, values[names.length + index]] as const);
      const asked = readArguments(options, Object.fromEntries(said));
      return this.views.start(view, inputOf(options, exchange, values, asked), exchange);
    }
  }
  const isDirect = names.length + more.length === 0;
  const resolver = isDirect ? DirectResolver : ArgumentsResolver;
  const { prototype } = resolver;
  const method = named(resolver, `${view.name}Resolver`, 'show');
  const args = [...names.map((name) => ({ name, type: () => ID })), ...more];
  // From the last one to the first, as the compiler decorates.
  args
    .map(({ name, ...facts }, index) => ({ name, facts, index: index + 1 }))
    .toReversed()
    .forEach(({ name, facts, index }) => Args(name, facts as object)(prototype, 'show', index));
  if (!isDirect) CurrentExchange()(prototype, 'show', 0);
  const { description } = query;
  // Nullable, so that its failure costs the other fields of the query nothing.
  const facts = { name: query.query, nullable: true, ...(description === undefined ? {} : { description }) };
  Query(() => type, facts)(prototype, 'show', method);
  Resolver()(resolver);
  const own = query.policies !== undefined;
  for (const [policy, said] of policiesOf(view.name, own ? query : options))
    if (own || holdsOnQuery(policy, said)) policy.decorator(said as never)(prototype, 'show', method);
  return resolver as unknown as Type;
}

/** Gives a class its name, and Nest what it injects. */
function named(target: new (views: Views) => object, name: string, method: string): PropertyDescriptor {
  Object.defineProperty(target, 'name', { value: name });
  Reflect.defineMetadata('design:paramtypes', [Views], target);
  Inject(Views)(target, undefined, 0);
  const { prototype } = target as { prototype: object };
  Reflect.defineMetadata('design:paramtypes', [], prototype, method);
  return Object.getOwnPropertyDescriptor(prototype, method) as PropertyDescriptor;
}

/** The policies that are said, in THE ORDER. @throws {Error} for a name that no policy has. */
function policiesOf(
  view: string,
  { policies = {} }: Pick<ExposedOptions, 'policies'>,
): readonly (readonly [Policy, unknown])[] {
  const known: Readonly<Record<string, Policy>> = policyRegistry;
  return Object.entries(policies).map(([name, said]) => {
    const policy = known[name as PolicyName];
    // Fails closed: nobody would enforce it.
    if (policy === undefined) throw new Error(`the view ${view}: there is no policy "${name}"`);
    return [policy, said];
  });
}

/**
 * Whether a policy of the route holds on the query by itself. What else it says is for the door of GraphQL as a whole: who
 * may come as nobody, and `cache`, because the freshness of a query is that of the calls of its sections.
 */
function holdsOnQuery({ name, onFields }: Policy, said: unknown): boolean {
  return onFields !== undefined && name !== 'cache' && said !== 'off' && said !== 'public';
}
