import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ContractDocument } from '../../src/contracts/contract-document.ts';
import { makeClient, type MadeClient } from '../support/made-client.ts';
import { useShop } from '../support/shop.ts';

const COMPILE_MS = 90_000;

const HEAD = `import { createClient, isProblem, orThrow, unhandled } from './client.ts';
import type { Order, ProblemError, ProblemErrorOn } from './client.ts';
export const client = createClient({ baseUrl: 'http://127.0.0.1:1', credentials: { jwt: async () => 'token' } });
`;

/** What has to compile. */
const PROGRAM = `${HEAD}
export async function program(names: readonly ('user' | 'feed')[]): Promise<Order> {
  const page = await orThrow(client.GET('/api/v1/orders', { params: { query: { pageSize: 5, status: 'paid', pageToken: undefined } } }));
  const first: Order | undefined = page.data.orders[0];
  const whole = (await orThrow(client.GET('/api/homepage'))).data;
  const user: { readonly name: string } | null = whole.user;
  const some = (await orThrow(client.GET('/api/homepage', { params: { query: { fields: ['user'] } } }))).data;
  const chosen: { readonly name: string } | null = some.user;
  const unsure = (await orThrow(client.GET('/api/homepage', { params: { query: { fields: names } } }))).data;
  const perhaps: { readonly name: string } | null | undefined = unsure.user;
  const raw: Response = (await orThrow(client.GET('/users-echo/{rest}', { params: { path: { rest: 'a/b' }, query: { x: [1, 2] } } }))).data;
  for await (const record of client.stream('homepage.show')) {
    if ('section' in record && record.section === 'user') void record.data?.name;
    else if ('done' in record) { const timing: Readonly<Record<string, number>> = record.timing; void timing; }
  }
  for await (const { number } of client.stream('kinds.Count.get', { params: { path: { to: 3 } } })) void number;
  void [first, user, chosen, perhaps, raw];
  const { data, problem } = await client.call('orders.create', { body: { items: [{ sku: 'BOOK-1', quantity: 1 }] } });
  if (problem === undefined) return data;
  if (problem.code === 'rate-limited') void problem.retryAfterSeconds;
  throw problem;
}
export function explain(error: unknown): string {
  if (isProblem(error, 'rate-limited')) { const code: 'rate-limited' = error.code; return code; }
  return isProblem(error) ? explainProblem(error) : 'unknown';
}
function explainProblem(error: ProblemError): string {
  return error.code === 'request-invalid' ? (error.body.errors ?? []).map((one) => one.pointer ?? '').join() : error.body.title;
}
export function live(problem: ProblemErrorOn<'health.live'>): string {
  switch (problem.code) {
    case 'deadline-exceeded': case 'headers-too-large': case 'internal': case 'request-malformed':
    case 'request-timeout': case 'shutting-down': return problem.code;
    default: return unhandled(problem);
  }
}
`;

/** What must not compile, and what the compiler has to say. */
const WRONG: readonly (readonly [what: string, line: string, message: string])[] = [
  ['a path that there is not', `client.GET('/api/v1/order');`, `Argument of type '"/api/v1/order"' is not assignable to parameter of type '"/api/`],
  ['a method that the path does not take', `client.DELETE('/api/v1/orders');`, `'"/api/v1/orders"' is not assignable to parameter of type`],
  ['an operation that there is not', `client.call('orders.remove');`, `'"orders.remove"' is not assignable to parameter of type`],
  ['a missing parameter', `client.GET('/api/v1/orders/{id}');`, 'Expected 2 arguments, but got 1.'],
  ['another parameter of the path', `client.GET('/api/v1/orders/{id}', { params: { path: { nr: '1' } } });`, `'nr' does not exist in type`],
  ['a parameter of the query that there is not', `client.GET('/api/v1/orders', { params: { query: { colour: 'red' } } });`, `'colour' does not exist in type`],
  ['a parameter with another value', `client.GET('/api/v1/orders', { params: { query: { status: 'lost' } } });`, `Type '"lost"' is not assignable to type`],
  ['parameters in the wrong place', `client.GET('/api/v1/orders', { query: { status: 'paid' } });`, `'query' does not exist in type`],
  ['a body without what it needs', `client.POST('/api/v1/orders', { body: { note: 'x' } });`, `Property 'items' is missing in type '{ note: string; }'`],
  ['a body of another type', `client.POST('/api/v1/orders', { body: { items: [{ sku: 'BOOK-1', quantity: '1' }] } });`, `Type 'string' is not assignable to type 'number'`],
  ['a body that is not taken', `client.GET('/api/v1/orders', { body: {} });`, `Type '{}' is not assignable to type 'undefined'`],
  ['a section that there is not', `client.GET('/api/homepage', { params: { query: { fields: ['cart'] } } });`, `Type '"cart"' is not assignable to type '"feed" | "notifications" | "user"'`],
  ['a section that was not asked for', `orThrow(client.GET('/api/homepage', { params: { query: { fields: ['user'] } } })).then(({ data }) => data.feed);`, `Property 'feed' does not exist on type`],
  ['data before its problem was looked at', `client.call('orders.get', { params: { path: { id: '1' } } }).then(({ data }) => data.id);`, `'data' is possibly 'undefined'`],
  ['a problem that is not dealt with', `client.GET('/health/live').then(({ problem }) => { if (problem !== undefined) switch (problem.code) { case 'deadline-exceeded': case 'headers-too-large': case 'internal': case 'request-malformed': case 'request-timeout': return; default: unhandled(problem); } });`, `'ProblemErrorOf<"shutting-down">' is not assignable to parameter of type 'never'`],
  ['a code that the operation does not end with', `client.POST('/api/v1/orders', { body: { items: [] } }).then(({ problem }) => problem?.code === 'idempotency-in-flight');`, `'"idempotency-in-flight"' have no overlap`],
  ['a code that there is not', `isProblem(new Error(), 'no-such-code');`, `'"no-such-code"' is not assignable to parameter of type`],
  ['a stream of what has none', `client.stream('orders.list');`, `'"orders.list"' is not assignable to parameter of type`],
]; // prettier-ignore

const holder = useShop({
  more: { floodLimit: 'off' },
  upstreams: () => ({
    kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: ['grpc://127.0.0.1:9'] },
  }),
  routes: [
    { id: 'users.echo', match: { methods: ['GET'], path: '/users-echo/*' }, upstream: 'users' },
    { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' } },
  ],
});

let client: MadeClient;
beforeAll(async () => {
  client = await makeClient(holder.shop.gateway.gateway.app.get(ContractDocument).current().document);
});
afterAll(() => client.remove());

describe('the client that is written', () => {
  it.each(['browser', 'node'] as const)(
    'compiles in a world such as %s with everything strict, and so does what uses it',
    (world) => expect(client.compile({ 'program.ts': PROGRAM }, world)).toBe(''),
    COMPILE_MS,
  );

  it('is one file with one import and no any', () => {
    expect(client.text.match(/^\s*import\b.*$/gm)).toEqual([
      "import createFetchClient, { type Middleware } from 'openapi-fetch';",
    ]);
    expect(client.text).not.toMatch(/(?:[:<|&] ?|\bas )any\b|require\(/m);
  });

  describe('does not compile with', () => {
    let said: ReadonlyMap<number, string>;
    beforeAll(() => {
      const programs = WRONG.map(([, line], index) => [`wrong-${index}.ts`, `${HEAD.split('\n')[0]}\n${HEAD.split('\n')[2]}\nvoid [isProblem, orThrow, unhandled];\n${line}\n`]);
      const output = client.compile(Object.fromEntries(programs) as Record<string, string>);
      const parts = output.split(/^(?=\S)/m).map((part) => [Number(/^wrong-(\d+)\.ts\(4,/.exec(part)?.[1]), part] as const);
      said = new Map(parts);
    }, COMPILE_MS); // prettier-ignore

    it.each(WRONG.map(([what, , message], index) => [what, index, message] as const))(
      '%s',
      (_what, index, message) => expect(said.get(index)).toContain(message),
    );

    it('anything else than its own line', () => {
      expect([...said.keys()].sort((a, b) => a - b)).toEqual(WRONG.map((_, index) => index));
    });
  });
});
