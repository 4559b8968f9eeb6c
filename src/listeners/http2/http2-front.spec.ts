import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import {
  createServer as createNetServer,
  type AddressInfo,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { certificate } from '../../../test/support/certificates.ts';
import {
  END_HEADERS,
  END_STREAM,
  frame,
  FRAME,
  FrameClient,
  head,
  streamId,
} from '../../../test/support/http2-frames.ts';
import { randomFrom } from '../../../test/support/random.ts';
import { setConnection, type ListenerFacts } from '../../exchange/client-connection.ts';
import { Http2Front } from './http2-front.ts';

const ROUNDS = 200;
const MOST_STREAMS = 30;
const NO_STREAM_YET = 2 ** 31 - 1;
const facts: ListenerFacts = {
  port: 0,
  bodyTimeMs: Infinity,
  requestsPerConnection: Infinity,
  redirectPort: undefined,
  isLeaving: false,
};

let main: Server;
let net: NetServer;
let front: Http2Front;
let listener: ListenerFacts;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const urlOf = (): string => `http://127.0.0.1:${(net.address() as AddressInfo).port}`;

function newFront(): Http2Front {
  return new Http2Front({
    main,
    concurrentStreams: 100,
    headBytes: 16_384,
    headerTimeMs: 10_000,
    keepAliveMs: 10_000,
    onFlood: () => undefined,
  });
}

function accept(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  setConnection(socket, { listener, peer: '127.0.0.1', scheme: 'http', certificate: undefined, requests: 0 });
  front.accept(socket);
}

beforeEach(async () => {
  listener = facts;
  main = createServer((request, response) => {
    request.resume().once('end', () => response.end('answered'));
  });
  net = createNetServer(accept);
  net.listen(0, '127.0.0.1');
  await once(net, 'listening');
  front = newFront();
});

afterEach(() => {
  net.close();
});

/** Whether the client has read that its connection ends. */
const isTold = (client: FrameClient): boolean => client.count(FRAME.goaway) > 0;

/** The streams that were answered, by the frame that ends an answer. */
const answered = (client: FrameClient): ReadonlySet<number> =>
  new Set(client.frames.filter(({ type }) => type === FRAME.data).map(({ stream }) => stream));

/** Opens streams until the client has read that its connection ends, and has something happen after one of them. @returns those without an answer. */
async function askUntilTold(random: () => number, act: () => void): Promise<readonly number[]> {
  const client = new FrameClient(urlOf());
  const actAfter = Math.floor(random() * MOST_STREAMS);
  const opened: number[] = [];
  while (!isTold(client) && opened.length < MOST_STREAMS) {
    const id = streamId(opened.length);
    opened.push(id);
    client.socket.write(frame(FRAME.headers, END_HEADERS | END_STREAM, id, head('/')));
    if (opened.length === actAfter) act();
    if (random() < 0.3) await turn();
  }
  await client.until(() => opened.every((id) => answered(client).has(id)));
  client.socket.destroy();
  return opened.filter((id) => !answered(client).has(id));
}

/** How many streams had no answer that clients opened while something happened, and how often they were told in time. */
async function lostOver(act: () => void): Promise<number> {
  let lost = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    front = newFront();
    lost += (await askUntilTold(randomFrom(round), act)).length;
    front.leave();
  }
  return lost;
}

async function statusOf(session: ClientHttp2Session): Promise<unknown> {
  const stream = session.request({ ':path': '/' }).resume();
  const [{ ':status': status }] = (await once(stream, 'response')) as [{ ':status': number }];
  await once(stream, 'close');
  return status;
}

describe('a connection over HTTP/2 that is told to end', () => {
  it.each([
    ['is announced', () => front.announce()],
    ['comes', () => front.leave()],
    [
      'comes right after it was announced',
      () => {
        front.announce();
        front.leave();
      },
    ],
    [
      'comes a little after it was announced',
      () => {
        front.announce();
        setTimeout(() => front.leave(), 2);
      },
    ],
  ])(
    'answers every stream that was opened before its client heard of it, where the end %s',
    async (_when, act) => {
      expect(await lostOver(act)).toBe(0);
    },
  );

  it('answers every stream where it may not have more, and is not reset', async () => {
    listener = { ...facts, requestsPerConnection: 3 };
    expect(await lostOver(() => undefined)).toBe(0);
  });

  it('is told in two steps: of no stream, and, once it has answered the PING between, of the last one', async () => {
    const client = new FrameClient(urlOf());
    client.socket.write(frame(FRAME.headers, END_HEADERS | END_STREAM, 1, head('/')));
    await client.until(() => client.count(FRAME.data) > 0);
    front.leave();
    await client.until(() => client.count(FRAME.ping) > 0);
    const goaways = (): readonly number[] =>
      client.frames.filter(({ type }) => type === FRAME.goaway).map(({ payload }) => payload.readUInt32BE(0));
    expect(goaways()).toEqual([NO_STREAM_YET]);
    client.socket.write(frame(FRAME.headers, END_HEADERS | END_STREAM, 3, head('/')));
    await client.until(() => client.count(FRAME.data) > 1);
    const ping = client.frames.find(({ type }) => type === FRAME.ping);
    client.socket.write(frame(FRAME.ping, END_STREAM, 0, ping?.payload));
    await client.closed;
    expect([...new Set(goaways())]).toEqual([NO_STREAM_YET, 3]);
  });

  it('does not wait for a client that never says whether it has heard', async () => {
    const client = new FrameClient(urlOf());
    client.socket.write(frame(FRAME.headers, END_HEADERS | END_STREAM, 1, head('/')));
    await client.until(() => client.count(FRAME.data) > 0);
    front.leave();
    await client.closed;
    expect(client.goaway).toBe(0);
  });

  it('tells a client that comes during the announcement with its first request', async () => {
    front.announce();
    const client = new FrameClient(urlOf());
    await client.until(() => client.count(FRAME.settings) > 1);
    expect(client.count(FRAME.goaway)).toBe(0);
    client.socket.write(frame(FRAME.headers, END_HEADERS | END_STREAM, 1, head('/')));
    await client.until(() => client.count(FRAME.goaway) > 0 && client.count(FRAME.data) > 0);
    expect(client.frames.find(({ type }) => type === FRAME.settings)).toBe(client.frames[0]);
    client.socket.destroy();
  });

  it('is served during the announcement over TLS, and told at the end of the last stream', async () => {
    const secure = createTlsServer({
      ...certificate({ name: 'own', hosts: ['localhost'] }),
      ALPNProtocols: ['h2'],
    });
    secure.on('secureConnection', accept).listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const { port } = secure.address() as AddressInfo;
    const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    expect(await statusOf(session)).toBe(200);
    front.announce();
    expect(await statusOf(session)).toBe(200);
    const told = once(session, 'goaway');
    front.leave();
    expect((await told).slice(0, 2)).toEqual([0, 3]);
    secure.close();
  });
});
