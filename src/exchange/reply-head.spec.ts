import { afterEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';
import { call } from '../../test/support/client.ts';
import { transformPolicy } from '../policies/transform/transform.policy.ts';
import { createCompiler, defineRoute } from '../../test/support/routes.ts';
import { exchangeFor } from '../../test/support/stage-server.ts';
import type { ResponseHead, Stage } from '../policies/stage.ts';
import type { Route } from '../routing/route.ts';
import { finishReply } from './reply-head.ts';

let app: FastifyInstance;
afterEach(() => app.close());

function routeWith(head: NonNullable<Stage['head']> | undefined): Route {
  const compile = (): Stage => ({ head });
  return createCompiler([{ policy: transformPolicy, compile }]).compile(defineRoute({ path: '/*' }));
}

interface Told {
  readonly added?: string[];
  readonly edit?: (head: ResponseHead) => void;
  readonly leaves?: boolean;
}

/** What a handler says, and what becomes of it: lines by name. */
async function told(say: (reply: FastifyReply) => void, { added = [], edit, leaves }: Told) {
  app = fastify();
  app.addHook('onSend', (request, reply, _payload, done) => {
    const exchange = exchangeFor(request.raw, reply.raw);
    if (leaves === true) reply.raw.shouldKeepAlive = false;
    exchange.route = routeWith(edit && ((_, head) => edit(head)));
    exchange.responseHeaders.push(...added);
    finishReply(exchange, reply);
    done();
  });
  app.get('/', (_request, reply) => {
    say(reply);
    return { a: 1 };
  });
  const answer = await call(`${await app.listen({ port: 0, host: '127.0.0.1' })}/`);
  const lines: Record<string, string[]> = {};
  for (let i = 0; i < answer.rawHeaders.length; i += 2)
    (lines[String(answer.rawHeaders[i]).toLowerCase()] ??= []).push(String(answer.rawHeaders[i + 1]));
  return { status: answer.status, text: answer.text, lines };
}

// With a list and without one it is the same.
describe.each<[string, Told]>([
  ['nothing', {}],
  ['an edit that changes nothing', { edit: () => {} }],
])('a reply with %s', (_, given) => {
  it('has the request id, and in place of what the handler said what a stage says of the same', async () => {
    const { lines } = await told(
      (reply) =>
        void reply.header('Cache-Control', 'public').header('x-a', '1').header('x-request-id', 'mine'),
      { ...given, added: ['cache-control', 'no-store', 'RateLimit', 'r=1'] },
    );
    expect(lines).toMatchObject({
      'x-request-id': ['test'],
      'cache-control': ['no-store'],
      ratelimit: ['r=1'],
      'x-a': ['1'],
      'content-length': ['7'],
    });
  });

  it('has both of `Vary`, and every cookie', async () => {
    const { lines } = await told(
      (reply) => void reply.header('vary', 'accept').header('set-cookie', 'a=1').header('set-cookie', 'b=2'),
      { ...given, added: ['vary', 'origin'] },
    );
    expect(lines).toMatchObject({ vary: ['accept', 'origin'], 'set-cookie': ['a=1', 'b=2'] });
  });

  it.each([
    ['nothing', undefined, ['close']],
    ['that it stays', 'keep-alive', ['keep-alive, close']],
  ])('ends a connection that is to end where the handler says %s', async (_what, said, heard) => {
    const say = (reply: FastifyReply): void => void (said && reply.header('connection', said));
    expect((await told(say, { ...given, leaves: true })).lines['connection']).toEqual(heard);
  });
});

describe('a reply that a stage edits', () => {
  it('has its status, its fields, and nothing that it took', async () => {
    const edit = (head: ResponseHead): void => {
      head.status = 203;
      head.headers = [
        ...head.headers.filter((_, i) => head.headers[i - (i % 2)] !== 'x-taken'),
        'X-Edited',
        '1',
      ];
    };
    const say = (reply: FastifyReply): void => {
      void reply.header('x-kept', '1').header('x-taken', '1');
      reply.raw.setHeader('x-taken', 'past Fastify');
    };
    const { status, text, lines } = await told(say, { edit });
    expect([status, text]).toEqual([203, '{"a":1}']);
    expect(lines).toMatchObject({ 'x-kept': ['1'], 'x-edited': ['1'] });
    expect(lines).not.toHaveProperty('x-taken');
  });
});
