import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { exchangeFor } from '../../test/support/stage-server.ts';
import { call } from '../../test/support/client.ts';
import { toyAnswer, toyPolicy } from '../../test/support/toy-policy.ts';
import { seatsOf } from '../policies/seats.ts';
import type { Stage } from '../policies/stage.ts';
import { Problem } from '../problems/problem.ts';
import { admit } from './admission.ts';
import type { Route } from './route.ts';

const ANSWER = toyAnswer('{"by":"a stage"}', 203, ['set-cookie', 'a=1', 'set-cookie', 'b=2', 'x-one', '1']);
let stage: Stage = {};
let reached = 0;
let server: FastifyInstance;
let url: string;
beforeAll(async () => {
  server = fastify();
  const policy = toyPolicy('toy');
  const proxied: Stage = { enter: (exchange) => stage.enter?.(exchange) };
  const late: Stage = { enter: () => void (reached += 1) };
  const route = seatsOf(
    [
      { policy, stage: proxied },
      { policy, stage: late },
    ],
    'handler',
  ) as Route;
  server.all('/', {
    onRequest: (request, reply, done) => {
      request.exchange = exchangeFor(request.raw, reply.raw);
      admit(route, reply, done);
    },
    handler: () => 'the handler',
  });
  url = `${await server.listen({ port: 0, host: '127.0.0.1' })}/`;
});
afterAll(() => server.close());

describe(admit.name, () => {
  it.each([
    ['at once', () => ANSWER],
    ['after waiting', () => Promise.resolve(ANSWER)],
  ])('sends what a stage answers %s, and goes no further', async (_, enter) => {
    stage = { enter };
    reached = 0;
    const answer = await call(url, { method: 'POST', body: '{' });
    expect([answer.status, answer.text, reached]).toEqual([203, '{"by":"a stage"}', 0]);
    expect(answer.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-one': '1' });
  });

  it('sends no body to who asks for none', async () => {
    stage = { enter: () => ANSWER };
    const answer = await call(url, { method: 'HEAD' });
    expect([answer.status, answer.text, answer.headers['content-length']]).toEqual([203, '', '16']);
  });

  it('lets pass when all of them pass, and tells what speaks against it', async () => {
    stage = {};
    reached = 0;
    expect([(await call(url)).text, reached]).toEqual(['the handler', 1]);
    stage = { enter: () => Promise.reject(new Problem('rate-limited')) };
    expect((await call(url)).status).toBe(429);
    expect(reached).toBe(1);
  });

  it('sends nothing of an exchange that has ended meanwhile', async () => {
    stage = {
      enter: (exchange) => {
        exchange.cancel(new Problem('deadline-exceeded'));
        return ANSWER;
      },
    };
    expect((await call(url)).status).not.toBe(203);
  });
});
