import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Args, Field, Int, Mutation, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { parse } from 'graphql';
import { Problem } from '../../../problems/problem.ts';
import type { Exchange } from '../../../exchange/exchange.ts';
import { policyRegistry } from '../../../policies/order.ts';
import type { StageFactory } from '../../../policies/stage-factory.ts';
import type { Stage } from '../../../policies/stage.ts';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';

@ObjectType()
class Leaf {
  @Field(() => String, { nullable: true })
  text!: string | null;

  @Field(() => Leaf, { nullable: true })
  next!: Leaf | null;
}

@Resolver()
class ShopResolver {
  stock = 0;

  @Query(() => String)
  a(): string {
    return 'a';
  }

  @Query(() => String)
  b(): string {
    return 'b';
  }

  @Query(() => Leaf)
  leaf(): Leaf {
    return { text: 'leaf', next: null };
  }

  @Query(() => String, { nullable: true })
  never(): Promise<string> {
    return new Promise(() => {});
  }

  @Query(() => String, { nullable: true })
  broken(): string {
    throw new TypeError('connect ECONNREFUSED 10.1.2.3:5432');
  }

  @Query(() => String, { nullable: true })
  busy(): string {
    throw new Problem('conflict', { detail: 'Somebody else was faster.' });
  }

  @Mutation(() => Int)
  add(@Args('by', { type: () => Int }) by: number): number {
    return (this.stock += by);
  }
}

/** Refuses or delays on demand, as the stages of policies do. */
const gate: Stage = {
  enter(exchange: Exchange) {
    const wanted = exchange.request.headers['x-gate'];
    if (wanted === 'refuse')
      throw new Problem('credentials-missing', { headers: { 'www-authenticate': 'Bearer' } });
    if (wanted === 'refuse later')
      return Promise.reject(new Problem('rate-limited', { headers: { 'retry-after': '7' } }));
    if (wanted === 'pass later') return Promise.resolve();
    exchange.responseHeaders.push('x-gate', 'passed');
    return undefined;
  },
};
/** Ends the exchange as the deadline stage does, when asked to. */
const deadline: Stage = {
  enter(exchange) {
    if (exchange.request.headers['x-deadline'] === undefined) return;
    exchange.deadlineAt = performance.now() + 20;
    setTimeout(() => exchange.cancel(new Problem('deadline-exceeded')), 20);
  },
};
const factories: StageFactory[] = [
  { policy: policyRegistry.authentication, compile: () => gate },
  { policy: policyRegistry.deadline, compile: () => deadline },
];

let bff: BffApp;
let shop: ShopResolver;
beforeAll(async () => {
  bff = await startBff({
    factories,
    graphql: { maxBodyBytes: 4096, maxTokens: 300, maxDepth: 5, maxFields: 40 },
    modules: [{ module: class ShopModule {}, providers: [ShopResolver] }],
  });
  shop = bff.app.get(ShopResolver);
});
afterAll(() => bff.stop());
beforeEach(() => {
  shop.stock = 0;
  bff.errors.length = 0;
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    data?: unknown;
    errors?: { message: string; path?: unknown; extensions?: unknown }[];
    code?: string;
  };
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

async function post(body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return read(
    await fetch(`${bff.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  );
}

async function get(params: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
  return read(await fetch(`${bff.url}/graphql?${new URLSearchParams(params).toString()}`, { headers }));
}

const often = async <Result>(run: () => Promise<Result>): Promise<Result[]> => {
  const results: Result[] = [];
  for (let i = 0; i < 6; i += 1) results.push(await run());
  return results;
};

describe('documents with several operations', () => {
  const query = 'query A { a } query B { b } mutation M { add(by: 1) }';

  it('run the operation that is named, cold and warm', async () => {
    for (const { body } of await often(() => post({ query, operationName: 'A' })))
      expect(body.data).toEqual({ a: 'a' });
    for (const { body } of await often(() => post({ query, operationName: 'B' })))
      expect(body.data).toEqual({ b: 'b' });
    for (const { body } of await often(() => post({ query, operationName: 'A' })))
      expect(body.data).toEqual({ a: 'a' });
  });

  it('are refused without a name, and with one that they do not have', async () => {
    for (const { body } of await often(() => post({ query }))) {
      expect(body.errors?.[0]?.message).toContain('more than one operation');
      expect(body.data).toBeUndefined();
    }
    for (const { body } of await often(() => get({ query, operationName: 'C' }))) {
      expect(body.errors?.[0]).toMatchObject({
        message: 'The document has no operation named "C".',
        extensions: { code: 'request-invalid' },
      });
    }
  });

  it('never run their mutation over GET, not even when a POST has warmed it up', async () => {
    expect((await get({ query, operationName: 'M' })).status).toBe(405);
    expect(shop.stock).toBe(0);
    await often(() => post({ query, operationName: 'M' }));
    expect(shop.stock).toBe(6);
    for (const { status, headers } of await often(() => get({ query, operationName: 'M' }))) {
      expect([status, headers.get('allow')]).toEqual([405, 'POST']);
    }
    expect(shop.stock).toBe(6);
    expect((await get({ query, operationName: 'A' })).body.data).toEqual({ a: 'a' });
  });
});

describe('a mutation alone', () => {
  it('is refused over GET and HEAD, cold and warm', async () => {
    const query = 'mutation { add(by: 5) }';
    expect((await get({ query })).status).toBe(405);
    await often(() => post({ query }));
    expect((await get({ query })).status).toBe(405);
    const head = await fetch(`${bff.url}/graphql?query=${encodeURIComponent(query)}`, { method: 'HEAD' });
    expect(head.status).toBe(405);
    expect(shop.stock).toBe(30);
  });
});

describe('requests that are not GraphQL', () => {
  it('refuse a syntax tree in place of the text', async () => {
    const tree = parse('{ a }', { noLocation: true });
    expect((await post({ query: tree })).status).toBe(400);
    const { body } = await post({ query: JSON.stringify(tree) });
    expect(body.data).toBeUndefined();
    expect(body.errors?.[0]?.message).toContain('Syntax Error');
  });

  it('refuse a batch', async () => {
    const { status, body } = await post([{ query: '{ a }' }, { query: '{ b }' }]);
    expect([status, body.data]).toEqual([400, undefined]);
  });

  it('refuse a form, which a foreign page could send', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const { status, body } = await post('query=%7B+a+%7D', form);
    expect([status, body.code]).toEqual([415, 'media-type-unsupported']);
  });

  it('refuse a body that is too large before they read it all', async () => {
    const { status, body } = await post({ query: `{ a } # ${'x'.repeat(5000)}` });
    expect([status, body.code]).toEqual([413, 'body-too-large']);
  });

  it('refuse an Accept that asks for neither media type', async () => {
    expect((await post({ query: '{ a }' }, { accept: 'text/html' })).status).toBe(406);
  });
});

describe('a GET that a foreign page may have caused', () => {
  const query = '{ a }';

  it('is refused when the browser says so, or does not say and sends a cookie', async () => {
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { cookie: 's=1' },
    ]) {
      const { status, body } = await get({ query }, headers);
      expect([status, body.code]).toEqual([400, 'request-invalid']);
    }
  });

  it('passes with a field that forces a preflight', async () => {
    for (const [name, value] of [
      ['graphql-require-preflight', '1'],
      ['authorization', 'Bearer x'],
      ['x-api-key', 'k'],
    ] as const) {
      const { body } = await get({ query }, { 'sec-fetch-site': 'cross-site', [name]: value });
      expect(body.data).toEqual({ a: 'a' });
    }
    expect(
      (await get({ query }, { 'sec-fetch-site': 'cross-site', authorization: 'Basic eDp5' })).status,
    ).toBe(400);
    expect((await get({ query }, { 'sec-fetch-site': 'same-origin', cookie: 's=1' })).status).toBe(200);
  });
});

describe('limits', () => {
  it('stop the parser at too many tokens', async () => {
    const { body } = await post({ query: `{ ${'a '.repeat(301)} }` });
    expect(body.errors?.[0]?.message).toContain('300 tokens');
  });

  it('refuse what is too deep, also through fragments', async () => {
    const deep = `{ leaf { next { next { next { next { text } } } } } }`;
    expect((await post({ query: deep })).body.errors?.[0]?.message).toContain('6 levels deep; at most 5');
    const spread = `{ leaf { ...F } } fragment F on Leaf { next { ...G } } fragment G on Leaf { next { next { next { text } } } }`;
    expect((await post({ query: spread })).body.errors?.[0]?.message).toContain('6 levels deep');
  });

  it('refuse fragments that fan out exponentially, at once', async () => {
    const fragments = Array.from(
      { length: 10 },
      (_, i) => `fragment F${i} on Query { x${i}: a ...F${i + 1} ... on Query { ...F${i + 1} } }`,
    );
    const query = `{ ...F0 } ${fragments.join(' ')} fragment F10 on Query { a }`;
    expect((await post({ query })).body.errors?.[0]?.message).toContain('more than 40 fields');
  });

  it('refuse a fragment that spreads itself', async () => {
    const { body } = await post({ query: '{ ...F } fragment F on Query { a ...F }' });
    expect(body.errors?.[0]?.message).toContain('Cannot spread fragment');
  });
});

describe('errors', () => {
  it('of a resolver are masked, and logged with the exchange', async () => {
    const { body, headers } = await post({ query: '{ a broken }' });
    expect(body.data).toEqual({ a: 'a', broken: null });
    expect(body.errors).toMatchObject([{ path: ['broken'], extensions: { code: 'internal' } }]);
    expect(JSON.stringify(body)).not.toContain('10.1.2.3');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(bff.errors.join()).toContain('exchange test-exchange: broken failed: TypeError');
  });

  it('of the catalogue are shown', async () => {
    expect((await post({ query: '{ busy }' })).body.errors).toMatchObject([
      { message: 'Somebody else was faster.', extensions: { code: 'conflict', retryable: false } },
    ]);
  });
});

describe('the stages of the route', () => {
  it('run before the document is looked at, and refuse with a plain problem', async () => {
    const { status, headers, body } = await post({ query: '{' }, { 'x-gate': 'refuse' });
    expect([status, headers.get('content-type'), headers.get('www-authenticate')]).toEqual([
      401,
      'application/problem+json',
      'Bearer',
    ]);
    expect(body).toMatchObject({ code: 'credentials-missing', status: 401 });
  });

  it('may wait', async () => {
    expect((await post({ query: '{ a }' }, { 'x-gate': 'pass later' })).body.data).toEqual({ a: 'a' });
    const refused = await post({ query: '{ a }' }, { 'x-gate': 'refuse later' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '7']);
  });

  it('write the route and add header fields', async () => {
    const { headers } = await get({ query: '{ a }' });
    expect(headers.get('x-gate')).toBe('passed');
    expect(bff.exchanges.at(-1)?.route?.id).toBe('graphql');
  });

  it('refuse before the body is read', async () => {
    const body = 'x'.repeat(100_000);
    expect((await post(body, { 'x-gate': 'refuse' })).status).toBe(401);
  });

  it('end an operation that takes longer than the deadline', async () => {
    const { status, body } = await post({ query: '{ never }' }, { 'x-deadline': '1' });
    expect([status, body.code]).toEqual([504, 'deadline-exceeded']);
  });
});

describe('HEAD', () => {
  it('answers what GET answers, without the body', async () => {
    const response = await fetch(`${bff.url}/graphql?query=%7Ba%7D`, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});

describe('in production', () => {
  it('the schema is not told, neither by introspection nor by suggestions', async () => {
    const strict = await startBff({
      graphql: { production: true },
      modules: [{ module: class ShopModule {}, providers: [ShopResolver] }],
    });
    const ask = async (query: string, variables?: unknown): Promise<string> => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' } };
      return (
        await fetch(`${strict.url}/graphql`, { ...init, body: JSON.stringify({ query, variables }) })
      ).text();
    };
    expect(await ask('{ __schema { queryType { name } } }')).toContain('introspection has been disabled');
    expect(await ask('{ brokn }')).not.toContain('Did you mean');
    expect(await ask('{ a }')).toBe('{"data":{"a":"a"}}');
    await strict.stop();
    expect((await post({ query: '{ brokn }' })).body.errors?.[0]?.message).toContain('Did you mean "broken"');
  });
});
