import { fastify, type FastifyInstance } from 'fastify';
import { serveConsole } from '../../../src/console/console-pages.ts';
import { readConsoleSite } from '../../../src/console/console-site.ts';
import { SAMPLE_ANSWERS } from './sample-answers.ts';

/** A listener that answers as the operators' one does, with sample numbers; for work on the page, and for many routes. */
export function sampleListener(routes: number): FastifyInstance {
  const server = fastify({ forceCloseConnections: true, routerOptions: { maxParamLength: 500 } });
  serveConsole(server, readConsoleSite());
  server.get('/stream', ({ query, raw }, reply) => {
    const view = new URLSearchParams(query as Record<string, string>).get('view') ?? '';
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const send = (name: string, data: unknown): boolean =>
      reply.raw.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    send('hello', { epoch: '1', generation: 4, at: new Date().toISOString(), view, everyMs: 1000 });
    const path = { overview: 'traffic', picture: 'traffic/picture' }[view];
    const tick = (): boolean => path !== undefined && send('rows', answerTo(path, '', routes));
    tick();
    const timer = setInterval(tick, 1000);
    raw.socket.once('close', () => clearInterval(timer));
  });
  server.get('/*', ({ url }, reply) => {
    const [path = '', query = ''] = url.slice(1).split('?');
    const answer = answerTo(path, query, routes);
    return answer === undefined
      ? reply.code(404).send({ error: 'there is no such thing' })
      : reply.send(answer);
  });
  return server;
}

function answerTo(path: string, query: string, routes: number): unknown {
  const segments = path.split('/').map(decodeURIComponent);
  const asked = {
    path: segments,
    query: new URLSearchParams(query),
    routes,
    at: Math.floor(Date.now() / 1000),
  };
  const [first = '', second = ''] = segments;
  return (SAMPLE_ANSWERS[`${first}/${second}`] ?? SAMPLE_ANSWERS[first])?.(asked);
}
