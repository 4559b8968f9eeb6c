import { beforeEach, describe, expect, it } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { rolloutsOf } from '../../test/support/routes.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { serveRollouts } from './canary-listing.ts';

let server: FastifyInstance;
beforeEach(() => {
  server = Fastify();
  serveRollouts(server, rolloutsOf(new Metrics()));
});

describe('rollouts', () => {
  it('are none without canaries', async () => expect((await server.inject('/canaries')).json()).toEqual([]));

  it.each([
    ['abort', 'the route "x" has no canary'],
    ['stop', /^expected one of .*abort/],
    ['constructor', /^expected one of /],
  ])('answer a wish %s for a route without one by what is wrong', async (wish, error) => {
    const answer = await server.inject({ method: 'POST', url: `/canaries/x/${wish}` });
    expect([answer.statusCode, answer.json().error]).toEqual([404, expect.stringMatching(error)]);
  });
});
