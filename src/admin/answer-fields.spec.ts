import { describe, expect, it } from '@jest/globals';
import { fastify } from 'fastify';
import { ANSWER_FIELDS, guardAnswers } from './answer-fields.ts';

describe(guardAnswers.name, () => {
  it('has every answer say that it is nobody’s page, refusals and what is not there too', async () => {
    const server = fastify();
    guardAnswers(server);
    server.addHook('onRequest', async ({ url }, reply) => {
      if (url === '/refused') return reply.code(403).send({ error: '<script>' });
      return undefined;
    });
    server.get('/text', (_request, reply) => reply.type('text/plain').send('<script>'));
    server.get('/own', (_request, reply) => reply.header('cache-control', 'private, no-cache').send({}));
    for (const path of ['/refused', '/text', '/nowhere'])
      expect((await server.inject(path)).headers).toMatchObject(ANSWER_FIELDS);
    expect((await server.inject('/own')).headers).toMatchObject({
      ...ANSWER_FIELDS,
      'cache-control': 'private, no-cache',
    });
    await server.close();
  });
});
