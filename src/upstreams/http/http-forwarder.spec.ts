import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { call, open, speak, statusOf } from '../../../test/support/client.ts';
import { startGateway, type TestGateway } from '../../../test/support/gateway.ts';
import { startTcpUpstream, startUpstream, type TestUpstream } from '../../../test/support/upstream.ts';
import { Snapshots } from '../../snapshot/snapshots.ts';

/** A port of the loopback interface that refuses connections. */
const REFUSED = 'http://127.0.0.1:1';

let gateway: TestGateway;
let stops: (() => Promise<void>)[];

beforeEach(() => {
  stops = [];
});

afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
});

async function upstream(listener?: RequestListener): Promise<TestUpstream> {
  const one = await startUpstream(listener);
  stops.push(() => one.stop());
  return one;
}

async function tcp(bytes: string, end = true): Promise<string> {
  const one = await startTcpUpstream((socket) => void (end ? socket.end(bytes) : socket.write(bytes)));
  stops.push(() => one.stop());
  return one.url;
}

async function start(targets: readonly string[], options = '', policies = ''): Promise<string> {
  gateway = await startGateway({
    config: `
version: 1
identity: { issuers: [{ issuer: 'http://127.0.0.1:1', jwks: 'http://127.0.0.1:1/jwks', audiences: [api] }] }
defaults: { policies: { authentication: public } }
upstreams: { it: { targets: ${JSON.stringify(targets)}${options && `, ${options}`} } }
routes: [{ id: it, match: { path: /* }, upstream: it, policies: { ${policies} } }]
`,
  });
  stops.push(() => gateway.stop());
  return `${gateway.url}/`;
}

const answering =
  (status: number, body = ''): RequestListener =>
  (_, response) =>
    void response.writeHead(status).end(body);

const line = async () => (await gateway.accessLines(1))[0] ?? {};
const firstTarget = () => gateway.gateway.app.get(Snapshots).current.upstreams.get('it').targets[0];

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !holds(); i += 1) await sleep(5);
  expect(holds()).toBe(true);
}

describe('a body in chunks of one byte', () => {
  it('arrives whole, and in pieces as large as they were read', async () => {
    const url = await start([
      await tcp(
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(200_000)}0\r\n\r\n`,
      ),
    ]);
    const client = connect(Number(new URL(url).port), '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const raw = Buffer.concat((await client.toArray()) as Buffer[]).toString('latin1');
    const sizes = [...raw.matchAll(/\r\n([0-9a-f]+)\r\n/g)].map(([, size]) =>
      Number.parseInt(size as string, 16),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(200_000);
    // 1.2 MB come in reads of 64 KiB at most; each would otherwise be ten thousand writes in one turn.
    expect(sizes.length).toBeLessThan(2000);
  });
});

describe('another attempt', () => {
  // The first of two equal targets in turn is the second of the list.
  it('is made at another target when a connection is refused, for GET', async () => {
    const good = await upstream(answering(200, 'good'));
    const url = await start([good.url, REFUSED]);
    expect((await call(url)).text).toBe('good');
    expect(await line()).toMatchObject({
      status: 200,
      attempts: [{ target: '127.0.0.1:1', outcome: 'unreachable' }, { outcome: '200' }],
    });
  });

  it.each(['POST', 'PATCH'])('is never made for %s', async (method) => {
    const good = await upstream();
    const url = await start([good.url, REFUSED]);
    const { status, headers } = await call(url, { method });
    expect([status, headers['content-type']]).toEqual([502, 'application/problem+json']);
    expect(good.requests).toHaveLength(0);
  });

  it('is made with a body that is held as a whole', async () => {
    const good = await upstream(answering(200, 'good'));
    const url = await start([good.url, REFUSED]);
    expect((await call(url, { method: 'PUT', body: 'x'.repeat(65_536) })).text).toBe('good');
    expect(good.requests).toHaveLength(1);
  });

  it('is never made for a body that was streamed once', async () => {
    const good = await upstream();
    const url = await start([good.url, REFUSED]);
    expect((await call(url, { method: 'PUT', body: 'x'.repeat(65_537) })).status).toBe(502);
    expect(good.requests).toHaveLength(0);
  });

  it.each([502, 503, 504])('is made when a target answers %i', async (status) => {
    const [good, bad] = [await upstream(answering(200, 'good')), await upstream(answering(status, 'bad'))];
    const url = await start([good.url, bad.url]);
    expect((await call(url)).text).toBe('good');
    expect([good.requests.length, bad.requests.length]).toEqual([1, 1]);
  });

  it.each([500, 501, 404])('is not made when a target answers %i', async (status) => {
    const [good, bad] = [await upstream(), await upstream(answering(status, 'own words'))];
    const url = await start([good.url, bad.url]);
    const answer = await call(url);
    expect([answer.status, answer.text, good.requests.length]).toEqual([status, 'own words', 0]);
  });

  it('is not made when there is no other target: the upstream’s own answer passes', async () => {
    const bad = await upstream(answering(503, 'own words'));
    const answer = await call(await start([bad.url], 'retry: { attempts: 5 }'));
    expect([answer.status, answer.text, bad.requests.length]).toEqual([503, 'own words', 1]);
  });

  it('is made as often as the upstream says, each at another target', async () => {
    const bad = [
      await upstream(answering(503)),
      await upstream(answering(503)),
      await upstream(answering(503)),
    ];
    const url = await start(
      bad.map((one) => one.url),
      'retry: { attempts: 3 }',
    );
    expect((await call(url)).status).toBe(503);
    expect(bad.map((one) => one.requests.length)).toEqual([1, 1, 1]);
  });

  it('is not made once the budget is spent', async () => {
    const [a, b] = [await upstream(answering(503)), await upstream(answering(503))];
    const url = await start([a.url, b.url], "circuitBreaker: 'off', retry: { attempts: 2, budget: 10% }");
    for (let i = 0; i < 20; i += 1) await call(url);
    // Three from the start, and a tenth of twenty.
    expect(a.requests.length + b.requests.length).toBe(20 + 3 + 2);
  });
});

describe('a client that goes away', () => {
  it('aborts the attempt, is logged as 499, and counts for nothing', async () => {
    let gone = 0;
    const slow = await upstream((_, response) => void response.once('close', () => (gone += 1)));
    const url = await start([slow.url], 'circuitBreaker: { consecutiveFailures: 1 }');
    for (let i = 0; i < 3; i += 1) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
      await until(() => slow.requests.length === i + 1);
      socket.destroy();
      await until(() => gone === i + 1);
    }
    const lines = await gateway.accessLines(3);
    expect(lines.map(({ status }) => status)).toEqual([499, 499, 499]);
    expect([firstTarget()?.available, firstTarget()?.inFlight]).toEqual([true, 0]);
  });

  it('in the middle of its body counts for nothing either', async () => {
    const slow = await upstream((request) => void request.on('error', () => undefined).resume());
    const url = await start([slow.url], 'circuitBreaker: { consecutiveFailures: 1 }');
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    // More than is held back until it is whole.
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n${'x'.repeat(66_000)}`);
    await until(() => slow.requests.length === 1);
    socket.destroy();
    expect(await line()).toMatchObject({ status: 499 });
    await until(() => firstTarget()?.inFlight === 0);
    expect(firstTarget()?.available).toBe(true);
  });

  it('in the middle of an answer aborts it', async () => {
    let gone = false;
    const endless = await upstream((_, response) => {
      response.once('close', () => (gone = true));
      response.writeHead(200).write('begun');
    });
    const answer = await open(await start([endless.url]));
    await until(() => firstTarget()?.inFlight === 1);
    answer.destroy();
    await until(() => gone && firstTarget()?.inFlight === 0);
    expect(await line()).toMatchObject({ status: 499, cut: true });
  });
});

describe('a deadline', () => {
  it('aborts the attempt, answers 504 and counts against the target', async () => {
    const slow = await upstream(() => undefined);
    const url = await start([slow.url], 'circuitBreaker: { consecutiveFailures: 1 }', 'deadline: 50ms');
    const { status, headers } = await call(url);
    expect([status, headers['content-type']]).toEqual([504, 'application/problem+json']);
    expect(firstTarget()?.available).toBe(false);
  });
});

describe('a body over the limit', () => {
  it('answers 413 and does not count against the target', async () => {
    const slow = await upstream((request) => void request.on('error', () => undefined).resume());
    const url = await start([slow.url], 'circuitBreaker: { consecutiveFailures: 1 }', 'bodyLimit: 10B');
    const chunk = '14\r\n01234567890123456789\r\n';
    const answer = await speak(
      url,
      `POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${chunk}`,
    );
    expect(statusOf(answer)).toBe(413);
    expect(firstTarget()?.available).toBe(true);
  });
});

describe('a connection that does not become free', () => {
  it('answers 503 and does not count against the target', async () => {
    const slow = await upstream(() => undefined);
    const url = await start(
      [slow.url],
      'maxConnections: 1, timeouts: { queue: 50ms }, circuitBreaker: { consecutiveFailures: 1 }',
    );
    const first = connect(Number(new URL(url).port), '127.0.0.1');
    first.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await until(() => slow.requests.length === 1);
    expect((await call(url)).json()).toMatchObject({ status: 503, code: 'no-available-target' });
    expect([firstTarget()?.breaker?.available, firstTarget()?.inFlight]).toEqual([true, 1]);
    first.destroy();
  });
});

describe('an upstream in trouble', () => {
  it('that breaks its answer off cuts the client off, and is counted', async () => {
    const url = await start(
      [await tcp('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this')],
      'circuitBreaker: { consecutiveFailures: 1 }',
    );
    const answer = await open(url);
    await expect(answer.toArray()).rejects.toThrow('aborted');
    expect(await line()).toMatchObject({ cut: true, refused: { code: 'upstream-unreachable' } });
    expect([firstTarget()?.available, firstTarget()?.inFlight]).toEqual([false, 0]);
  });

  it('that breaks a chunked answer off cuts the client off', async () => {
    const url = await start([
      await tcp('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n'),
    ]);
    const answer = await open(url);
    await expect(answer.toArray()).rejects.toThrow('aborted');
  });

  it.each([
    ['closes before it answers', '', 'upstream-unreachable'],
    ['speaks something else', 'SSH-2.0-OpenSSH\r\n\r\n', 'upstream-response-invalid'],
    ['breaks off in its head', 'HTTP/1.1 200 OK\r\nx-a: 1\r\n', 'upstream-unreachable'],
    [
      'gives two lengths',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc',
      'upstream-response-invalid',
    ],
  ])('that %s makes a problem of ours', async (_, bytes, code) => {
    const { status, text } = await call(await start([await tcp(bytes)]));
    expect([status, (JSON.parse(text) as { code: string }).code]).toEqual([502, code]);
    expect(text).not.toContain('127.0.0.1');
  });

  it('that is silent makes a 504', async () => {
    const url = await start([await tcp('', false)], 'timeouts: { firstByte: 100ms }');
    expect((await call(url)).json()).toMatchObject({ status: 504, code: 'upstream-timeout' });
  });

  it('opens its breaker, which answers with Retry-After', async () => {
    const bad = await upstream(answering(500));
    const url = await start([bad.url], 'circuitBreaker: { consecutiveFailures: 2, openFor: 20s }');
    const statuses = [(await call(url)).status, (await call(url)).status];
    const { status, headers } = await call(url);
    expect([...statuses, status, headers['retry-after']]).toEqual([
      500,
      500,
      503,
      expect.stringMatching(/^2[0-4]$/),
    ]);
    expect(bad.requests).toHaveLength(2);
  });
});

describe('an answer', () => {
  it('follows interim ones, which end here', async () => {
    const bytes =
      'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
    const answer = await call(await start([await tcp(bytes)]));
    expect([answer.status, answer.text, answer.headers.link]).toEqual([200, 'ok', undefined]);
  });

  it('to HEAD keeps its length and has no body', async () => {
    const head = await upstream(
      (_, response) => void response.writeHead(200, { 'content-length': 500 }).end(),
    );
    const url = await start([head.url]);
    for (let i = 0; i < 2; i += 1) {
      const answer = await call(url, { method: 'HEAD' });
      expect([answer.status, answer.headers['content-length'], answer.text]).toEqual([200, '500', '']);
    }
  });

  it.each([204, 304])('%i has no body, and the connection goes on', async (status) => {
    const empty = await upstream((_, response) => void response.writeHead(status, { etag: '"1"' }).end());
    const url = await start([empty.url]);
    for (let i = 0; i < 2; i += 1) {
      const answer = await call(url);
      expect([answer.status, answer.text, answer.headers.etag]).toEqual([status, '', '"1"']);
    }
    expect(await gateway.accessLines(2)).toHaveLength(2);
  });

  it('of a length of 0 ends at once', async () => {
    const answer = await call(await start([(await upstream(answering(200))).url]));
    expect([answer.status, answer.text]).toEqual([200, '']);
  });

  it('until the connection closes arrives whole', async () => {
    const answer = await call(await start([await tcp('HTTP/1.0 200 OK\r\n\r\nall of it')]));
    expect(answer.text).toBe('all of it');
  });

  it('keeps header values byte by byte', async () => {
    const value = Buffer.from('attachment; filename="naïve → €.txt"').toString('latin1');
    const bytes = Buffer.from(
      `HTTP/1.1 200 OK\r\ncontent-disposition: ${value}\r\nx-latin: caf\xe9\r\ncontent-length: 0\r\n\r\n`,
      'latin1',
    );
    const raw = await startTcpUpstream((socket) => void socket.end(bytes));
    stops.push(() => raw.stop());
    const answer = await speak(
      await start([raw.url]),
      'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    );
    expect(answer).toContain(`content-disposition: ${value}\r\n`);
    expect(answer).toContain('x-latin: caf\xe9\r\n');
  });

  it('keeps several lines of a field, and drops what concerns the other connection', async () => {
    const bytes =
      'HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nx-hop: 1\r\nconnection: close, x-hop\r\nkeep-alive: timeout=1\r\ncontent-length: 0\r\n\r\n';
    const { headers } = await call(await start([await tcp(bytes)]));
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(headers['x-hop']).toBeUndefined();
    expect(headers['keep-alive']).not.toBe('timeout=1');
  });
});

describe('back-pressure', () => {
  const PIECE = Buffer.alloc(64 * 1024);
  const PLENTY = 256 * 2 ** 20;

  /** Writes until somebody stops it. */
  function pour(response: ServerResponse | PassThrough, count: { bytes: number }): void {
    while (count.bytes < PLENTY) {
      count.bytes += PIECE.length;
      if (!response.write(PIECE)) return void response.once('drain', () => pour(response, count));
    }
    response.end();
  }

  async function settled(count: { bytes: number }): Promise<number> {
    let before = -1;
    while (count.bytes !== before) {
      before = count.bytes;
      await sleep(150);
    }
    return count.bytes;
  }

  it('of a slow reader makes the upstream stop sending', async () => {
    const poured = { bytes: 0 };
    const source = await upstream((_, response) => pour(response.writeHead(200), poured));
    const answer = await open(await start([source.url]));
    answer.pause();
    const atRest = await settled(poured);
    expect(atRest).toBeLessThan(PLENTY / 4);
    answer.resume();
    await until(() => poured.bytes > atRest * 2);
    answer.destroy();
  });

  it('of a slow upstream makes the client stop sending', async () => {
    const poured = { bytes: 0 };
    let arrived: IncomingMessage | undefined;
    const sink = await upstream((request) => void (arrived = request.on('error', () => undefined)));
    const body = new PassThrough();
    const url = await start([sink.url]);
    const answer = open(url, { method: 'PUT', body }).catch(() => undefined);
    pour(body, poured);
    await until(() => arrived !== undefined);
    const atRest = await settled(poured);
    expect(atRest).toBeLessThan(PLENTY / 4);
    arrived?.resume();
    await until(() => poured.bytes > atRest * 2);
    body.destroy(new Error('enough'));
    await answer;
    await until(() => arrived?.destroyed === true);
  });
});
