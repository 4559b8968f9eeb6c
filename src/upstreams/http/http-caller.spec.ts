import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpService } from '../../../examples/services/http-service.ts';
import { startUsers } from '../../../examples/services/users.ts';
import { Problem } from '../../problems/problem.ts';
import { CallBed, exchangeFor, problemOf, until } from '../grpc/call.fixture.ts';
import { HttpCaller, type JsonRequest } from './http-caller.ts';

const GET_BOB: JsonRequest = { method: 'GET', path: '/users/2' };
const ADD: JsonRequest = { method: 'POST', path: '/users', body: { name: 'Zoë', email: 'zoe@example.com' } };

describe(HttpCaller.name, () => {
  let one: HttpService;
  let two: HttpService;
  let odd: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;
  let bed: CallBed | undefined;

  beforeAll(async () => {
    one = await startUsers();
    two = await startUsers();
    odd = createServer((request, response) => answer(request, response));
    await new Promise<void>((listening) => odd.listen(0, '127.0.0.1', listening));
  });

  afterEach(async () => {
    await bed?.close();
    await Promise.all([one.fault('none'), two.fault('none')]);
    one.requests.reset();
    two.requests.reset();
  });

  afterAll(async () => {
    odd.closeAllConnections();
    odd.close();
    await Promise.all([one.stop(), two.stop()]);
  });

  function open(options: object = {}, targets: string[] = [one.url]): CallBed {
    bed = new CallBed({ users: { targets, ...options } });
    return bed;
  }

  function ask(
    from: CallBed,
    request = GET_BOB,
    exchange = exchangeFor(),
    timeoutMs = Infinity,
  ): Promise<unknown> {
    return from.http.json(from.upstreams.get('users'), request, { exchange, timeoutMs });
  }

  function askOdd(handler: typeof answer, exchange = exchangeFor()): Promise<unknown> {
    answer = handler;
    const from = open({}, [`http://127.0.0.1:${(odd.address() as AddressInfo).port}`]);
    return ask(from, GET_BOB, exchange);
  }

  it('returns the JSON of a 2xx answer and notes the attempt', async () => {
    const exchange = exchangeFor();
    const from = open();
    expect(await ask(from, GET_BOB, exchange)).toMatchObject({ id: '2', name: 'Bob User' });
    expect(exchange.attempts).toMatchObject([{ target: one.url.slice(7), outcome: '200' }]);
    expect(exchange.upstream).toBe('users');
    expect(from.upstreams.get('users').targets[0]?.inFlight).toBe(0);
  });

  it.each([
    [undefined, 'its own'],
    ['target', 'its own'],
    ['keep', 'its own'],
    ['api.example:8443', 'api.example:8443'],
  ])('asks for the host %s of its upstream: %s', async (host, expected) => {
    answer = (request, response) => response.end(JSON.stringify(request.headers.host));
    const own = `127.0.0.1:${(odd.address() as AddressInfo).port}`;
    const from = open(host === undefined ? {} : { host }, [`http://${own}`]);
    expect(await ask(from)).toBe(expected === 'its own' ? own : expected);
  });

  it('passes over a byte order mark', async () => {
    expect(await askOdd((_request, response) => response.end('\ufeff{"id":"2"}'))).toEqual({ id: '2' });
  });

  describe('an answer that is coded although no coding was asked for', () => {
    const small = JSON.stringify({ id: '2', name: 'Bob' });
    /** JSON of so many bytes. */
    const sized = (bytes: number): string => JSON.stringify('x'.repeat(bytes - 2));
    const coded = (coding: string, body: Buffer): Promise<unknown> =>
      askOdd((request, response) => {
        expect(request.headers['accept-encoding']).toBe('identity');
        response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': coding });
        response.end(body);
      });

    it.each([
      ['gzip', gzipSync],
      ['x-gzip', gzipSync],
      ['GZIP', gzipSync],
      ['br', brotliCompressSync],
      ['deflate', deflateSync],
      ['deflate', deflateRawSync],
      ['zstd', zstdCompressSync],
      ['identity', (body: Buffer) => body],
    ])('is decoded: %s', async (coding, encode) => {
      expect(await coded(coding, encode(Buffer.from(small)))).toEqual({ id: '2', name: 'Bob' });
    });

    it.each([
      ['gzip', gzipSync],
      ['br', brotliCompressSync],
      ['deflate', deflateSync],
      ['zstd', zstdCompressSync],
    ])('may be 1 MiB when it is decoded, and no more: %s', async (coding, encode) => {
      expect(await coded(coding, encode(Buffer.from(sized(2 ** 20))))).toHaveLength(2 ** 20 - 2);
      await bed?.close();
      expect(await problemOf(coded(coding, encode(Buffer.from(sized(2 ** 20 + 1)))))).toBe(
        'upstream-response-invalid',
      );
    });

    it.each([
      ['zstd', Buffer.from('x')],
      ['gzip, gzip', gzipSync(gzipSync(small))],
      ['gzip', Buffer.from(small)],
      ['gzip', gzipSync(small).subarray(0, -9)],
      ['gzip', Buffer.alloc(0)],
      ['gzip', gzipSync('no JSON')],
    ])('is a fault of the upstream when it cannot be decoded: %s, %#', async (coding, body) => {
      expect(await problemOf(coded(coding, body))).toBe('upstream-response-invalid');
    });
  });

  it('reads an answer of 128 levels, and none that is deeper', async () => {
    const lists = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    const asked = (text: string): Promise<unknown> => askOdd((_, response) => void response.end(text));
    expect(JSON.stringify(await asked(lists(128)))).toBe(lists(128));
    await bed?.close();
    for (const depth of [129, 400_000]) {
      expect(await problemOf(asked(lists(depth)))).toBe('upstream-response-invalid');
      await bed?.close();
    }
  });

  it('reads the answer as it is told, and lets the head be heard', async () => {
    const heard: unknown[] = [];
    const from = open();
    const parse = (text: string): unknown => text.length;
    const value = await ask(from, {
      ...GET_BOB,
      parse,
      heard: (headers) => heard.push(headers['content-type']),
    });
    expect([value, heard]).toEqual([expect.any(Number), [expect.stringContaining('application/json')]]);
  });

  it('takes for garbage what it cannot read as it is told', async () => {
    const parse = (): never => {
      throw new SyntaxError('no');
    };
    expect(await problemOf(ask(open(), { ...GET_BOB, parse }))).toBe('upstream-response-invalid');
  });

  it('sends the verified identity, the trace, the request id and the time left, and nothing else', async () => {
    await ask(open(), GET_BOB, exchangeFor({ deadlineMs: 4000, tracestate: 'vendor=1' }));
    const { host, connection, ...sent } = one.lastRequest?.headers ?? {};
    expect([host, connection]).toEqual([one.url.slice(7), 'keep-alive']);
    expect(sent).toEqual({
      accept: 'application/json',
      'accept-encoding': 'identity',
      'x-request-id': 'request-1',
      traceparent: expect.stringMatching(new RegExp(`^00-${'a'.repeat(32)}-[0-9a-f]{16}-01$`)),
      tracestate: 'vendor=1',
      'x-request-deadline-ms': expect.stringMatching(/^3\d{3}$/),
      'x-user-id': '2',
      'x-user-email': 'bob@example.com',
      'x-user-roles': 'user,reader',
      'x-client-id': 'web',
      'x-tenant-id': 'acme',
    });
  });

  it('sends a body as JSON', async () => {
    const added = await ask(open(), ADD);
    expect(added).toMatchObject({ name: 'Zoë', email: 'zoe@example.com' });
    expect(one.lastRequest?.headers['content-type']).toBe('application/json');
  });

  it('returns null for an answer without content', async () => {
    expect(await askOdd((_, response) => response.writeHead(204).end())).toBeNull();
  });

  it('puts an answer together that comes in pieces inside a character', async () => {
    const bytes = Buffer.from(JSON.stringify({ name: 'Zoë' }));
    const value = askOdd((_, response) => {
      response.write(bytes.subarray(0, 12));
      setImmediate(() => response.end(bytes.subarray(12)));
    });
    expect(await value).toEqual({ name: 'Zoë' });
  });

  it.each([
    [400, 'upstream-rejected', true],
    [401, 'upstream-rejected', true],
    [404, 'resource-not-found', true],
    [429, 'upstream-rejected', true],
    [302, 'upstream-rejected', true],
    [500, 'upstream-rejected', false],
    [503, 'upstream-rejected', false],
  ])('turns %i into %s', async (status, code, healthy) => {
    answer = (_, response) => response.writeHead(status).end('{"secret":"db-7"}');
    const port = (odd.address() as AddressInfo).port;
    const from = open({ circuitBreaker: { consecutiveFailures: 1 } }, [`http://127.0.0.1:${port}`]);
    const exchange = exchangeFor();
    expect(await problemOf(ask(from, GET_BOB, exchange))).toBe(code);
    expect(exchange.attempts[0]?.outcome).toBe(String(status));
    expect(from.upstreams.get('users').targets[0]?.available).toBe(healthy);
  });

  it('keeps the connection after an answer it does not want', async () => {
    const ports = new Set<number | undefined>();
    const handler: typeof answer = ({ socket }, response) => {
      ports.add(socket.remotePort);
      response.writeHead(404).end('x'.repeat(10_000));
    };
    answer = handler;
    const from = open({ maxConnections: 1 }, [`http://127.0.0.1:${(odd.address() as AddressInfo).port}`]);
    for (let i = 0; i < 3; i += 1) expect(await problemOf(ask(from))).toBe('resource-not-found');
    expect(ports.size).toBe(1);
  });

  it.each([
    ['is not JSON', (response: ServerResponse) => response.end('<!doctype html>')],
    ['is empty', (response: ServerResponse) => response.end()],
    ['is larger than 1 MiB', (response: ServerResponse) => response.end(`"${'x'.repeat(1024 * 1024)}"`)],
    [
      'breaks off',
      (response: ServerResponse) => response.writeHead(200, { 'content-length': '9' }).write('[1'),
    ],
  ])('never takes an answer that %s', async (what, write) => {
    const exchange = exchangeFor();
    const call = askOdd(({ socket }, response) => {
      write(response);
      if (what === 'breaks off') setTimeout(() => socket.destroy(), 10);
    }, exchange);
    expect(await problemOf(call)).toBe(
      what === 'breaks off' ? 'upstream-unreachable' : 'upstream-response-invalid',
    );
    expect(exchange.attempts).toHaveLength(1);
  });

  it.each(['PUT', 'POST'] as const)(
    'sends a %s again only if that does no harm, its body too',
    async (method) => {
      const bodies: string[] = [];
      answer = (request, response) => {
        request.setEncoding('utf8').on('data', (text: string) => {
          if (bodies.push(text) === 1) request.socket.resetAndDestroy();
          else response.end('"kept"');
        });
      };
      const from = open({}, [`http://127.0.0.1:${(odd.address() as AddressInfo).port}`]);
      const outcome = ask(from, { method, path: '/users/2', body: { name: 'Zoë' } });
      if (method === 'POST') expect(await problemOf(outcome)).toBe('upstream-unreachable');
      else expect(await outcome).toBe('kept');
      expect(bodies).toEqual(Array.from({ length: method === 'PUT' ? 2 : 1 }, () => '{"name":"Zoë"}'));
    },
  );

  it('asks another target after a silent one if its upstream wants that', async () => {
    await one.fault({ slow: 30_000 });
    const timeouts = { firstByte: '50ms' };
    const bare = exchangeFor();
    expect(await problemOf(ask(open({ timeouts }, [two.url, one.url]), GET_BOB, bare))).toBe(
      'upstream-timeout',
    );
    const exchange = exchangeFor();
    const from = open({ timeouts, retry: { on: ['timeout'] } }, [two.url, one.url]);
    expect(await ask(from, GET_BOB, exchange)).toMatchObject({ id: '2' });
    expect(exchange.attempts.map(({ outcome }) => outcome)).toEqual(['upstream-timeout', '200']);
    await until(() => one.requests.aborted === 2);
    expect(from.upstreams.get('users').targets.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
  });

  it('stops waiting for the time that a target has named when its exchange ends', async () => {
    const exchange = exchangeFor();
    const call = askOdd((_, response) => response.writeHead(503, { 'retry-after': '4' }).end(), exchange);
    const outcome = problemOf(call);
    await until(() => exchange.attempts[0]?.outcome === '503');
    exchange.cancel(new Problem('client-closed'));
    expect(await outcome).toBe('client-closed');
    expect(exchange.attempts.map((one) => one.outcome)).toEqual(['503']);
  });

  it('answers 502 for what is not HTTP', async () => {
    const call = askOdd(({ socket }) => socket.end('SSH-2.0-OpenSSH_9.6\r\n\r\n'));
    await expect(call).rejects.toHaveProperty('status', 502);
  });

  it('answers upstream-timeout when the time of the call is up', async () => {
    await one.fault({ slow: 30_000 });
    const exchange = exchangeFor({ deadlineMs: 60_000 });
    expect(await problemOf(ask(open(), GET_BOB, exchange, 50))).toBe('upstream-timeout');
    expect(exchange.attempts[0]?.outcome).toBe('upstream-timeout');
    await until(() => one.requests.aborted === 1);
  });

  it('stops reading the body of a refusal that never ends', async () => {
    let closed = false;
    const endless = (_request: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(500);
      const more = (): void => {
        while (!closed && response.write(Buffer.alloc(64 * 1024)));
      };
      response.on('drain', more).on('close', () => (closed = true));
      more();
    };
    expect(await problemOf(askOdd(endless))).toBe('upstream-rejected');
    await until(() => closed);
    expect(closed).toBe(true);
  });

  it('answers deadline-exceeded when the time of the request is up', async () => {
    await one.fault({ slow: 30_000 });
    expect(await problemOf(ask(open(), GET_BOB, exchangeFor({ deadlineMs: 50 })))).toBe('deadline-exceeded');
    await until(() => one.requests.aborted === 1);
  });

  it('cancels a request that still waits for a connection', async () => {
    await one.fault({ slow: 30_000 });
    const from = open({ maxConnections: 1 });
    const first = exchangeFor();
    const outcomes = [problemOf(ask(from, GET_BOB, first)), problemOf(ask(from, GET_BOB, exchangeFor(), 50))];
    expect(await outcomes[1]).toBe('upstream-timeout');
    first.cancel(new Problem('client-closed'));
    expect(await outcomes[0]).toBe('client-closed');
    await one.fault('none');
    await ask(from);
    expect(one.requests.total).toBe(2);
  });

  it('does not hold it against the target when the client goes away', async () => {
    await one.fault({ slow: 30_000 });
    const from = open({ circuitBreaker: { consecutiveFailures: 1 } });
    const exchange = exchangeFor();
    const outcome = problemOf(ask(from, GET_BOB, exchange));
    await until(() => one.requests.total === 1);
    exchange.cancel(new Problem('client-closed'));
    expect(await outcome).toBe('client-closed');
    await until(() => one.requests.aborted === 1);
    expect(from.upstreams.get('users').targets[0]).toMatchObject({ available: true, inFlight: 0 });
  });

  it.each(['dead', 'unavailable'] as const)('asks another target when one is %s', async (fault) => {
    await one.fault(fault);
    const from = open({}, [one.url, two.url]);
    for (let i = 0; i < 4; i += 1) await ask(from);
    expect(two.requests.total).toBe(4);
  });

  it('sends a POST once', async () => {
    await Promise.all([one.fault('unavailable'), two.fault('unavailable')]);
    expect(await problemOf(ask(open({}, [one.url, two.url]), ADD))).toBe('upstream-rejected');
    expect(one.requests.total + two.requests.total).toBe(1);
  });

  it('opens the breaker after failures, lets one probe through and closes again', async () => {
    await one.fault('fail');
    const from = open({ circuitBreaker: { consecutiveFailures: 3, openFor: '50ms' } });
    for (let i = 0; i < 3; i += 1) expect(await problemOf(ask(from))).toBe('upstream-rejected');
    expect(await problemOf(ask(from))).toBe('circuit-open');
    await one.fault('none');
    const [target] = from.upstreams.get('users').targets;
    await until(() => target?.available === true);
    const both = await Promise.allSettled([ask(from), ask(from)]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(one.requests.total).toBe(4);
  });
});
