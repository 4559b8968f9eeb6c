/** The package's `gatehouse/graphql`: what resolvers of a team's modules need besides `@nestjs/graphql`. */
export { Cost, type CostOptions } from './bff/graphql/documents/cost.decorator.ts';
export { Calls, type OncePerElementOptions } from './bff/graphql/fields/calls.decorator.ts';
export { ViewResolver } from './bff/graphql/fields/view-resolver.ts';
export { OperationContext } from './bff/graphql/execution/operation-context.ts';
export { ExpectedErrorType, InputFaultType } from './bff/graphql/execution/expected-error.ts';
