import { request as requestHttp } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startTcpUpstream, type TcpUpstream } from '../support/upstream.ts';

/** What has come of a body before it breaks off: enough to be passed on before it does. */
const PIECE = `{"id":1,"secret":"s","text":"${'x'.repeat(20_000)}",`;
const hex = (text: string): string => text.length.toString(16);
const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';

type Cut = (socket: Socket) => void;
const ends: Cut = (socket) => void socket.end();
const resets: Cut = (socket) => void socket.resetAndDestroy();

/** How a service begins, and how its connection ends; what is closed without a word after no framing is whole (RFC 9112 section 6.3). */
const SERVICES: Readonly<Record<string, readonly [begin: string, cut: Cut]>> = {
  'by length, ended': [`${HEAD}content-length: 50000\r\n\r\n${PIECE}`, ends],
  'by length, reset': [`${HEAD}content-length: 50000\r\n\r\n${PIECE}`, resets],
  'in chunks, ended within one': [`${HEAD}transfer-encoding: chunked\r\n\r\nfffff\r\n${PIECE}`, ends],
  'in chunks, ended between two': [
    `${HEAD}transfer-encoding: chunked\r\n\r\n${hex(PIECE)}\r\n${PIECE}\r\n`,
    ends,
  ],
  'in chunks, ended in the last one': [
    `${HEAD}transfer-encoding: chunked\r\n\r\n${hex(PIECE)}\r\n${PIECE}\r\n0\r\n`,
    ends,
  ],
  'in chunks, reset': [`${HEAD}transfer-encoding: chunked\r\n\r\n${hex(PIECE)}\r\n${PIECE}\r\n`, resets],
  'in chunks, garbled': [
    `${HEAD}transfer-encoding: chunked\r\n\r\n${hex(PIECE)}\r\n${PIECE}\r\nno size\r\n`,
    () => undefined,
  ],
  'until the end, reset': [`${HEAD}connection: close\r\n\r\n${PIECE}`, resets],
};

/** What the gateway does to a body on its way. */
const TREATMENTS = ['plain', 'compressed', 'edited', 'cached', 'validated'] as const;

let gateway: TestGateway;
const services: TcpUpstream[] = [];

beforeAll(async () => {
  for (const [begin, cut] of Object.values(SERVICES)) {
    services.push(
      await startTcpUpstream((socket) => {
        // The gateway has passed the beginning on when it breaks off.
        socket.write(begin, () => setTimeout(cut, 20, socket));
      }),
    );
  }
  const upstreams = services.map(
    ({ url }, index) => `s${index}: { targets: ['${url}'], circuitBreaker: 'off' }`,
  );
  const policies = [
    '{}',
    '{ compression: {} }',
    '{ transform: { response: { maskFields: [secret] } } }',
    '{ cache: { ttl: 1m } }',
    '{ transform: { response: { setHeaders: { x-more: "1" } } } }',
  ];
  const routes = services.flatMap((_, index) =>
    policies.map(
      (policy, at) =>
        `{ id: r${index}-${at}, match: { path: /${index}/${at} }, upstream: s${index}, policies: ${policy} }`,
    ),
  );
  gateway = await startGateway({
    config: `
version: 1
listeners: [{ port: 0 }, { port: 0, http2: true }]
defaults: { policies: { authentication: public } }
upstreams: { ${upstreams.join(', ')} }
routes: [${routes.join(', ')}]
`,
  });
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all(services.map((service) => service.stop()));
});

/** `cut` when the client can tell that it is not all, or the status of a problem that says so; else what it took for whole. */
type Heard = 'cut' | `problem ${number}` | `whole ${number}`;

const said = (status: number): Heard => (status >= 500 ? `problem ${status}` : `whole ${status}`);

function byHttp1(path: string): Promise<Heard> {
  return new Promise((resolve) => {
    const url = new URL(path, gateway.gateway.urls[0]);
    requestHttp(url, { headers: { 'accept-encoding': 'gzip' }, agent: false }, (answer) => {
      answer.on('error', () => resolve('cut')).resume();
      answer.once('end', () => resolve(answer.complete ? said(answer.statusCode ?? 0) : 'cut'));
    })
      .on('error', () => resolve('cut'))
      .end();
  });
}

/** The answer has no chunks: only a reset tells that it is not whole. */
function byHttp10(path: string): Promise<Heard> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(gateway.gateway.urls[0] as string);
    const socket = connectTcp(Number(port), hostname);
    let heard = '';
    socket.on('data', (bytes) => (heard += bytes.toString('latin1'))).once('error', () => resolve('cut'));
    socket.once('end', () => {
      const [head = '', body = ''] = heard.split('\r\n\r\n', 2);
      const length = /^content-length: (\d+)/im.exec(head)?.[1];
      const isShort = length !== undefined && body.length < Number(length);
      resolve(isShort || head === '' ? 'cut' : said(Number(head.slice(9, 12))));
    });
    socket.write(`GET ${path} HTTP/1.0\r\nhost: x\r\naccept-encoding: gzip\r\n\r\n`);
  });
}

function byHttp2(path: string): Promise<Heard> {
  return new Promise((resolve) => {
    const session = connectHttp2(gateway.gateway.urls[1] as string);
    const finish = (heard: Heard): void => {
      session.destroy();
      resolve(heard);
    };
    session.on('error', () => finish('cut'));
    const stream = session.request({ ':path': path, 'accept-encoding': 'gzip' });
    let status = 0;
    stream.once('response', (head) => (status = Number(head[':status'])));
    stream.on('error', () => finish('cut')).resume();
    stream.once('close', () => finish(stream.rstCode === 0 ? said(status) : 'cut'));
  });
}

describe.each(Object.keys(SERVICES).map((name, index) => [name, index] as const))(
  'a body that comes %s',
  (_, index) => {
    it.each(TREATMENTS.map((treatment, at) => [treatment, at] as const))(
      'and goes on %s is whole to nobody',
      async (treatment, at) => {
        const path = `/${index}/${at}`;
        const heard = await Promise.all([byHttp1(path), byHttp10(path), byHttp2(path)]);
        // What is edited was not sent before all of it was there.
        const wanted = treatment === 'edited' ? /^problem 50[24]$/ : /^(?:cut|problem 50[24])$/;
        for (const one of heard) expect(one).toMatch(wanted);
      },
    );
  },
);
