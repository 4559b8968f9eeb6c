import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Args, Int, Mutation, Query, Resolver } from '@nestjs/graphql';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';

@Resolver()
class StatusResolver {
  @Query(() => String, { nullable: true })
  works(@Args('n', { type: () => Int, nullable: true }) _n?: number): string {
    return 'works';
  }

  @Query(() => String, { nullable: true })
  fails(): string {
    throw new Error('hidden');
  }

  @Mutation(() => String)
  write(): string {
    return 'written';
  }
}

const NEW = 'application/graphql-response+json';
const OLD = 'application/json';
const modules = [{ module: class StatusModule {}, providers: [StatusResolver] }];
let audit: BffApp;
let draft: BffApp;
beforeAll(async () => {
  audit = await startBff({ modules });
  draft = await startBff({ modules, graphql: { statusRules: 'draft-2026' } });
});
afterAll(() => Promise.all([audit.stop(), draft.stop()]));

const json = (value: unknown): string => JSON.stringify(value);

describe('the status of an answer', () => {
  // Body, then [audit, draft] for the newer media type, and for the older one with its type under the draft.
  const TABLE: [string, string, [number, number], [number, number, string]][] = [
    ['data', json({ query: '{ works }' }), [200, 200], [200, 200, OLD]],
    ['null without an error', json({ query: '{ works @skip(if: true) }' }), [200, 200], [200, 200, OLD]],
    ['data and errors', json({ query: '{ works fails }' }), [200, 294], [200, 200, OLD]],
    ['no JSON', '{', [400, 400], [400, 400, NEW]],
    ['a syntax error', json({ query: '{' }), [400, 400], [200, 400, NEW]],
    ['an unknown field', json({ query: '{ nope }' }), [400, 422], [200, 422, NEW]],
    ['a wrong literal', json({ query: '{ works(n: "x") }' }), [400, 422], [200, 422, NEW]],
    [
      'wrong variables',
      json({ query: 'query($n: Int) { works(n: $n) }', variables: { n: 'x' } }),
      [400, 422],
      [200, 422, NEW],
    ],
    [
      'an ambiguous operation',
      json({ query: 'query A { works } query B { works }' }),
      [400, 422],
      [200, 422, NEW],
    ],
    [
      'an unknown operation',
      json({ query: 'query A { works }', operationName: 'B' }),
      [400, 422],
      [200, 422, NEW],
    ],
    ['no query', json({}), [400, 422], [400, 422, NEW]],
    ['a query that is no text', json({ query: 7 }), [400, 422], [400, 422, NEW]],
    ['a batch', json([{ query: '{ works }' }]), [400, 422], [400, 422, NEW]],
    [
      'variables that are no object',
      json({ query: '{ works }', variables: 'x' }),
      [400, 422],
      [400, 422, NEW],
    ],
  ];

  const send = async (
    { url }: BffApp,
    body: string,
    accept: string,
  ): Promise<[number, string | undefined]> => {
    const headers = { 'content-type': 'application/json', accept };
    const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body });
    return [response.status, response.headers.get('content-type')?.split(';')[0]];
  };

  it.each(TABLE)(
    'with %s follows the rules that are chosen',
    async (_name, body, [audited, drafted], legacy) => {
      expect((await send(audit, body, NEW))[0]).toBe(audited);
      expect(await send(draft, body, NEW)).toEqual([drafted, NEW]);
      expect((await send(audit, body, OLD))[0]).toBe(legacy[0]);
      expect(await send(draft, body, OLD)).toEqual([legacy[1], legacy[2]]);
    },
  );

  it('is 405 with Allow for a mutation over GET, 406 and 415 for media types, under both', async () => {
    for (const { url } of [audit, draft]) {
      const get = await fetch(`${url}/graphql?query=mutation%7Bwrite%7D`);
      expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
      expect(
        (await fetch(`${url}/graphql?query=%7Bworks%7D`, { headers: { accept: 'image/png' } })).status,
      ).toBe(406);
      expect((await fetch(`${url}/graphql`, { method: 'POST', body: 'x' })).status).toBe(415);
    }
  });
});
