import { createServer, type IncomingMessage, type RequestListener } from 'node:http';

/**
 * Serves on `PORT` with nothing but `node:http`: reads the body, and answers with the JSON that `answer` makes of it,
 * or 502.
 */
export function serveBare(answer: (body: string) => Promise<string>): void {
  listen((request, response) => {
    const send = (status: number, body: string): void => {
      const length = String(Buffer.byteLength(body));
      response.writeHead(status, [
        'content-type',
        'application/json; charset=utf-8',
        'content-length',
        length,
      ]);
      response.end(body);
    };
    bodyOf(request, (text) => {
      answer(text).then(
        (body) => send(200, body),
        (error: unknown) => send(502, JSON.stringify({ error: String(error) })),
      );
    });
  });
}

/** Listens on `PORT`, and ends in order at SIGTERM, so that a profiler can write down what it saw. */
export function listen(listener: RequestListener): void {
  createServer(listener).listen(Number(process.env['PORT']), '127.0.0.1');
  process.once('SIGTERM', () => process.exit(0));
}

/** Hands over the body as text when all of it is there. */
export function bodyOf(request: IncomingMessage, done: (text: string) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => done(Buffer.concat(chunks).toString()));
}

/** Refuses what is no GraphQL request. A bare twin answers one query, whatever is asked. */
export function expectQuery(body: string): void {
  const { query } = JSON.parse(body) as { query?: unknown };
  if (typeof query !== 'string') throw new Error('query: a text is expected');
}
