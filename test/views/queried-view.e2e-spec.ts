import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { z } from 'zod';
import { exposedViews } from '../../src/bff/exposed/exposed-views.ts';
import { View } from '../../src/bff/view.ts';
import { CallsModule } from '../../src/calls/calls.module.ts';
import type { OpenApiDocument } from '../../src/contracts/openapi.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const Shelf = View.define('Shelf')
  .input<{ room: string; first: number; of?: string[] | undefined }>()
  .required('books', ({ input }) =>
    Promise.resolve({ room: input.room, first: input.first, of: input.of ?? [] }),
  )
  .expose({
    rest: '/api/shelf/{room}',
    graphql: 'shelf',
    query: { first: z.int().max(9).default(3), of: z.array(z.enum(['new', 'old'])).optional() },
    policies: { authentication: 'public' },
    sections: {
      books: z.object({ room: z.string(), first: z.int(), of: z.array(z.string()) }).meta({ id: 'Books' }),
    },
  });

@Module({ imports: [CallsModule, exposedViews(Shelf)] })
class ShelfModule {}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({
    config: JSON.stringify({
      version: 1,
      defaults: { policies: { authentication: 'public' } },
      modules: ['shelf'],
      graphql: { policies: { authentication: 'public' } },
    }),
    modules: [{ name: 'shelf', module: ShelfModule, graphql: true }],
  });
});
afterAll(() => gateway.stop());

describe('a view with parameters of a query, in a gateway', () => {
  it('answers what they say, over REST and GraphQL', async () => {
    const books = { room: 'r1', first: 2, of: ['new', 'old'] };
    expect((await call(`${gateway.url}/api/shelf/r1?first=2&of=new&of=old`)).json()).toEqual({ books });
    const query = '{ shelf(room: "r1", first: 2, of: [new, old]) { books { room first of } } }';
    const { json } = await call(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    expect(json()).toEqual({ data: { shelf: { books } } });
  });

  it('refuses what does not fit, by the name of its parameter', async () => {
    const { status, json } = await call(`${gateway.url}/api/shelf/r1?first=10&off=new`);
    expect([status, json()]).toMatchObject([
      400,
      {
        code: 'request-invalid',
        errors: [
          { parameter: 'first' },
          { parameter: 'off', detail: 'there is no such parameter; did you mean "of"?' },
        ],
      },
    ]);
  });

  it('has them in its document', async () => {
    const { paths } = (await call(`${gateway.url}/openapi.json`)).json<OpenApiDocument>();
    const { parameters = [] } = paths['/api/shelf/{room}']?.get ?? {};
    expect(parameters.map((one) => ('name' in one ? [one.name, one.in] : []))).toEqual([
      ['room', 'path'],
      ['first', 'query'],
      ['of', 'query'],
      ['fields', 'query'],
    ]);
  });
});
