/** What can be wrong with the code of a module: the comment of the fixture in whose line it is, and what is said of it. */
export const WRONG_DECLARATIONS: readonly (readonly [mark: string, message: string])[] = [
  [
    'call name',
    'the call users.get has the name of another call, to the upstream "users"; rename one of them',
  ],
  [
    'call upstream',
    'the call usres.list needs the upstream "usres", which is not configured; did you mean "users"?',
  ],
  ['call protocol', 'the call users.grpc speaks grpc, but the upstream "users" speaks http'],
  ['call option', 'the call users.add: only a call that reads can be merged, kept or replaced by a fallback'],
  ['call path', 'the call users.path: the path "users" must start with / and have only {name} parameters'],
  [
    'section list',
    'section "each" of the view Page: the call users.get would be made once per element of a list; declare `batch` on the call, or `each: { concurrency: … }` to allow it',
  ],
  ['section budget', 'section "slow" of the view Page: expected a budget such as "250ms" or "2s", got "0s"'],
  ['section name', 'the view Page has a section "user" already'],
  [
    'section source',
    'section "circle" of the view Page: its source is undefined; does the file that exports it import this one?',
  ],
  ['decorator key', 'LimitedController  @RateLimit  rateLimit.rte  unknown key; did you mean "rate"?'],
  [
    'decorator value',
    'OpenController.late  @Deadline  deadline  expected a duration with a unit, such as 250ms or 30s',
  ],
  [
    'decorator place',
    'OpenController.helper  @Deadline  policies.deadline  has no effect here; it belongs to handlers, which have @Get(), @Post() or the like',
  ],
  [
    'body',
    'OpenController.body  @Body  anything may come in, `null` and lists too; write `@Body({ schema })` with a schema of zod, or give it a pipe that checks it',
  ],
  [
    'query',
    'OpenController.query  @Query  anything may come in, `null` and lists too; write `@Query({ schema })` with a schema of zod, or give it a pipe that checks it',
  ],
  [
    'param',
    'OpenController.param  @Param  any text may come in; write `@Param({ schema })` with a schema of zod, or give it a pipe that checks it',
  ],
  [
    'number',
    "OpenController.number  @Param  any text may come in; write `@Param('id', { schema })` with a schema of zod, or give it a pipe that checks it",
  ],
  [
    'path',
    'RivalController.second  match  can never be reached: OpenController.first (route "open.first", /open/same) takes the same requests first',
  ],
  [
    'component',
    'OpenController.two  OpenAPI  the OpenAPI component "WrongThing" is another schema already, in OpenController.one; give one of them another id',
  ],
  [
    'type',
    'OtherType  GraphQL  the GraphQL schema has a type "WrongType" already, of the class OneType; give one of them another name',
  ],
  ['cost', 'WrongResolver.wrongOther  @Cost  cost.weight  expected at least 0'],
  ['resolver', 'WrongResolver.wrongText  @OncePerElement  oncePerElement.atMost  expected at least 1'],
  [
    'resolver',
    'GraphQL  WrongResolver.wrongText: the policy "deadline" has no effect on a part of a GraphQL schema; say it for the whole door under `graphql: { policies: … }`',
  ],
];
