import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { speak } from '../../test/support/client.ts';
import { exchangeFor } from '../../test/support/stage-server.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { catalogue, type ProblemCode } from './catalogue.ts';
import { Problem } from './problem.ts';
import { EarlyAnswer } from '../pipeline/early-answer.ts';
import { renderProblem } from './render-problem.ts';

describe('renderProblem', () => {
  let server: Server;
  let exchange: Exchange;

  afterEach(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });

  async function serve(
    handle: (response: ServerResponse, request: IncomingMessage) => void,
  ): Promise<string> {
    server = createServer({ ServerResponse: EarlyAnswer }, (request, response) => {
      exchange = exchangeFor(request, response);
      handle(response, request);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  const failing = (error: unknown, before: (exchange: Exchange) => void = () => undefined) =>
    serve(() => {
      before(exchange);
      renderProblem(exchange, error);
    });

  const sent = Object.keys(catalogue).filter((code) => code !== 'client-closed') as ProblemCode[];

  it('answers every code with its status, as problem+json', async () => {
    const url = await serve((_, request) => {
      renderProblem(exchange, new Problem(String(request.headers['x-code']) as ProblemCode));
    });
    for (const code of sent) {
      const answer = await fetch(url, { headers: { 'x-code': code } });
      expect([code, answer.status, answer.headers.get('content-type')]).toEqual([
        code,
        catalogue[code].status,
        'application/problem+json',
      ]);
      expect(answer.headers.get('x-request-id')).toBe('test');
      expect(await answer.json()).toMatchObject({ code, status: catalogue[code].status });
    }
  });

  it('makes `internal` of what nobody foresaw, and tells nothing of it', async () => {
    const url = await failing(new Error('secret host db-7.internal'));
    const answer = await fetch(url);
    const text = await answer.text();
    expect(answer.status).toBe(500);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(text).not.toMatch(/secret|db-7|stack|\.ts/);
    expect(exchange.problem?.cause).toBeInstanceOf(Error);
  });

  it('adds the fields of the problem and those that stages left', async () => {
    const url = await failing(new Problem('rate-limited', { headers: { 'retry-after': '3' } }), (one) =>
      one.responseHeaders.push('ratelimit', 'x;r=0'),
    );
    const { headers } = await fetch(url);
    expect([headers.get('retry-after'), headers.get('ratelimit')]).toEqual(['3', 'x;r=0']);
  });

  it('sends HEAD the same head and no body', async () => {
    const url = await failing(new Problem('route-not-found'));
    const text = await speak(url, 'HEAD / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 404 /);
    expect(Number(/content-length: (\d+)/i.exec(text)?.[1])).toBeGreaterThan(100);
    expect(text.endsWith('\r\n\r\n')).toBe(true);
  });

  it('keeps the connection of a request without a body', async () => {
    const url = await failing(new Problem('route-not-found'));
    expect(await speak(url, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n')).toMatch(/connection: keep-alive/i);
    expect(await speak(url, 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n')).toMatch(
      /keep-alive/i,
    );
  });

  it.each(['content-length: 100', 'transfer-encoding: chunked'])(
    'ends the connection of a request whose body is still to come (%s)',
    async (field) => {
      const url = await failing(new Problem('body-too-large'));
      expect(await speak(url, `POST / HTTP/1.1\r\nhost: x\r\n${field}\r\n\r\n`)).toMatch(
        /connection: close/i,
      );
    },
  );

  it('cuts an answer that has begun', async () => {
    const url = await serve((response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('begun', () => renderProblem(exchange, new Problem('upstream-unreachable')));
    });
    const answer = await fetch(url);
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
    expect(exchange.problem?.code).toBe('upstream-unreachable');
  });

  it('sends a client that went away nothing', async () => {
    const url = await failing(new Problem('client-closed'));
    expect(await speak(url, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n')).toBe('');
  });

  it('keeps the first problem of an exchange for the access line', async () => {
    const url = await failing(new Problem('upstream-timeout'), (one) => {
      one.problem = new Problem('deadline-exceeded');
    });
    expect((await fetch(url)).status).toBe(504);
    expect(exchange.problem?.code).toBe('deadline-exceeded');
  });
});
