import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { status, type Client } from '@grpc/grpc-js';
import { once } from 'node:events';
import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { framed } from '../../src/upstreams/grpc/unary-wire.ts';
import { parse } from 'yaml';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { asIs, grpcClient, passConfig, unary } from '../support/pass-gateway.ts';
import { reload } from '../support/reload.ts';

/** What a target does with a call; `nth` counts from 1. */
type Behavior = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, nth: number) => void;

/** A target of HTTP/2 that does what it is told. */
class Target {
  behavior: Behavior = answer;
  calls = 0;
  heard: IncomingHttpHeaders = {};
  readonly bodies: Promise<Buffer>[] = [];
  readonly resets: number[] = [];
  readonly sockets = new Set<Socket>();
  readonly #server: Http2Server = createServer();

  async start(): Promise<this> {
    this.#server.on('session', (session) => {
      const { socket } = session;
      this.sockets.add(socket as Socket);
      session.on('error', () => {});
    });
    this.#server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      this.calls += 1;
      this.heard = headers;
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => {});
      this.bodies.push(new Promise((resolve) => stream.once('end', () => resolve(Buffer.concat(chunks)))));
      stream.once('close', () => this.resets.push(stream.rstCode));
      this.behavior(stream, headers, this.calls);
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `grpc://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  reset(): void {
    this.behavior = answer;
    this.calls = 0;
    this.bodies.length = this.resets.length = 0;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

const HEAD = { ':status': 200, 'content-type': 'application/grpc' };

/** Answers with the message `ok`. */
function answer(stream: ServerHttp2Stream): void {
  stream.respond(HEAD, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(framed(Buffer.from('ok')));
}

function refuses(code: number): Behavior {
  return (stream) => stream.respond({ ...HEAD, 'grpc-status': String(code) }, { endStream: true });
}

function resets(code: number): Behavior {
  return (stream) => stream.close(code);
}

function says(head: Record<string, string | number>): Behavior {
  return (stream) => {
    stream.respond({ ...HEAD, ...head });
    stream.end('x');
  };
}

const withinMessage: Behavior = (stream) => {
  stream.respond(HEAD);
  stream.write(framed(Buffer.alloc(100)).subarray(0, 50));
  setTimeout(() => stream.session?.destroy(), 30);
};

const first =
  (behavior: Behavior): Behavior =>
  (stream, headers, nth) =>
    nth === 1 ? behavior(stream, headers, nth) : answer(stream);

let target: Target;
let gateway: TestGateway;
let client: Client;

const configOf = (more = '', patience = '400ms'): string =>
  passConfig({
    targets: [target.url],
    upstream: `circuitBreaker: { errorRate: 100%, window: 20, consecutiveFailures: 5, openFor: 60s }, timeouts: { firstByte: ${patience}, idle: ${patience} }`,
    routes: `  - { id: hasty, match: { path: /test.v1.Kinds/Sum }, upstream: kinds, passGrpc: true, policies: { authentication: public, deadline: 60ms } }\n${more}`,
  });

beforeAll(async () => {
  target = await new Target().start();
  gateway = await startGateway({ config: configOf() });
  client = grpcClient(gateway.url);
});

beforeEach(() => target.reset());

afterAll(async () => {
  client.close();
  await gateway.stop();
  target.stop();
});

/** What a call comes to whose client says one thing and never the rest. */
function unfinished(path: string): Promise<number> {
  return new Promise((resolve) => {
    const call = client.makeClientStreamRequest(path, asIs, asIs, () => {});
    call.once('status', (end) => resolve(end.code));
    call.write(Buffer.from('x'));
  });
}

const { NGHTTP2_REFUSED_STREAM: REFUSED, NGHTTP2_CANCEL: CANCEL, NGHTTP2_INTERNAL_ERROR: BROKEN } = constants;

describe('what a target does to a call', () => {
  it.each<[string, Behavior, number, number]>([
    ['answers', answer, status.OK, 1],
    ['refuses the stream once', first(resets(REFUSED)), status.OK, 2],
    [
      'says that it is going, and has not begun with it',
      first((stream) => {
        const { session } = stream;
        session?.goaway(constants.NGHTTP2_NO_ERROR, (stream.id ?? 1) - 1 || 0);
        stream.close(REFUSED);
      }),
      status.OK,
      2,
    ],
    ['resets the stream', resets(BROKEN), status.INTERNAL, 1],
    ['cancels', resets(CANCEL), status.UNAVAILABLE, 1],
    ['cuts the connection', (stream) => stream.session?.destroy(), status.UNAVAILABLE, 1],
    ['is unavailable, and may have begun', refuses(status.UNAVAILABLE), status.UNAVAILABLE, 1],
    ['answers with an error of HTTP', says({ ':status': 503 }), status.UNAVAILABLE, 1],
    ['answers with a page', says({ 'content-type': 'text/html' }), status.INTERNAL, 1],
    ['does not say how it ended', says({}), status.INTERNAL, 1],
    ['says nothing', () => {}, status.DEADLINE_EXCEEDED, 1],
    ['breaks off within a message', withinMessage, status.UNAVAILABLE, 1],
  ])('%s', async (_what, behavior, code, calls) => {
    // A success between, so that no row opens the breaker for the next.
    expect((await unary(client)).code).toBe(status.OK);
    target.reset();
    target.behavior = behavior;
    const got = await unary(client, { bytes: Buffer.from('hello') });
    expect(got.code).toBe(code);
    expect(target.calls).toBe(calls);
    if (code === status.OK) expect(await target.bodies.at(-1)).toEqual(framed(Buffer.from('hello')));
  });

  it('a call whose client sends a key by which the service knows it again is made at another target', async () => {
    const other = await new Target().start();
    await reload(
      gateway,
      parse(configOf().replaceAll(target.url, `${target.url}","labels":{}},{"url":"${other.url}`)) as object,
    );
    target.behavior = other.behavior = (stream, headers) =>
      target.calls + other.calls === 1 ? refuses(status.UNAVAILABLE)(stream, headers, 1) : answer(stream);
    const got = await unary(client, { bytes: Buffer.from('hello'), fields: { 'idempotency-key': 'a' } });
    expect(got.code).toBe(status.OK);
    expect([target.calls, other.calls]).toEqual([1, 1]);
    for (const one of [target, other]) expect(await one.bodies[0]).toEqual(framed(Buffer.from('hello')));
    expect(target.heard['x-request-id']).toBe(other.heard['x-request-id']);
    await reload(gateway, parse(configOf()) as object);
    other.stop();
  });

  it('one of which too much was said to be kept is not', async () => {
    target.behavior = (stream) => void setTimeout(() => stream.close(REFUSED), 100);
    const got = await unary(client, { bytes: Buffer.alloc(100_000), fields: { 'idempotency-key': 'a' } });
    expect(got.code).toBe(status.UNAVAILABLE);
    expect(target.calls).toBe(1);
  });

  it('hears CANCEL when the client leaves', async () => {
    target.behavior = (stream) => stream.respond(HEAD);
    const call = client.makeServerStreamRequest('/test.v1.Kinds/Count', asIs, asIs, Buffer.from('x'));
    call.on('error', () => {}).on('data', () => {});
    await once(call, 'metadata');
    call.cancel();
    for (let waited = 0; target.resets.length === 0 && waited < 10_000; waited += 10) await sleep(10);
    expect(target.resets).toEqual([CANCEL]);
  });

  it('clients in a hurry open no breaker', async () => {
    target.behavior = () => {};
    for (let i = 0; i < 8; i += 1)
      expect((await unary(client, { fields: { 'grpc-timeout': '20m' } })).code).toBe(
        status.DEADLINE_EXCEEDED,
      );
    target.behavior = answer;
    expect((await unary(client)).code).toBe(status.OK);
  });

  it.each<[string, Behavior]>([
    ['that says nothing', () => {}],
    [
      'that tells of the deadline first',
      (stream) => setTimeout(refuses(status.DEADLINE_EXCEEDED), 20, stream),
    ],
  ])('clients that never say all open no breaker of a target %s', async (_what, behavior) => {
    target.behavior = behavior;
    for (let i = 0; i < 8; i += 1)
      expect(await unfinished('/test.v1.Kinds/Sum')).toBe(status.DEADLINE_EXCEEDED);
    target.behavior = answer;
    expect((await unary(client)).code).toBe(status.OK);
  });

  it('browsers get no trailers within a message: the answer is cut', async () => {
    target.behavior = withinMessage;
    const response = await fetch(`${gateway.url}/test.v1.Kinds/Echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/grpc-web' },
      body: new Uint8Array(framed(Buffer.from('x'))),
    });
    await expect(response.arrayBuffer()).rejects.toThrow();
  });

  it('a breaker that is open answers UNAVAILABLE, and asks nobody', async () => {
    expect((await unary(client)).code).toBe(status.OK);
    target.reset();
    target.behavior = refuses(status.INTERNAL);
    for (let i = 0; i < 5; i += 1) expect((await unary(client)).code).toBe(status.INTERNAL);
    target.behavior = answer;
    const got = await unary(client);
    expect(got).toMatchObject({ code: status.UNAVAILABLE });
    expect(got.trailers.get('retry-after')).toHaveLength(1);
    expect(target.calls).toBe(5);
  });
});

describe('a stream', () => {
  it('goes on over a reload that takes its upstream away, and ends in an orderly way when the gateway leaves', async () => {
    const other = await new Target().start();
    await reload(gateway, parse(configOf('', '20s').replaceAll(target.url, other.url)) as object);
    let speak: (text: string) => void = () => {};
    other.behavior = (stream) => {
      stream.respond(HEAD, { waitForTrailers: true });
      speak = (text) => stream.write(framed(Buffer.from(text)));
      speak('one');
    };
    const call = client.makeServerStreamRequest('/test.v1.Kinds/Count', asIs, asIs, Buffer.from('x'));
    const heard: string[] = [];
    call.on('data', (bytes: Buffer) => heard.push(bytes.toString())).on('error', () => {});
    await once(call, 'data');
    await reload(gateway, parse(configOf()) as object);
    target.reset();
    await unary(client);
    expect(target.calls).toBe(1);
    expect(other.calls).toBe(1);
    speak('two');
    await once(call, 'data');
    expect(heard).toEqual(['one', 'two']);
    const ended = new Promise((resolve) => call.once('status', resolve));
    await gateway.stop();
    expect(await ended).toMatchObject({ code: status.UNAVAILABLE, details: 'The gateway is shutting down' });
    expect(other.resets).toEqual([CANCEL]);
    other.stop();
  });
});
