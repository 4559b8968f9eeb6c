import { once, type EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { DoorName } from '../../src/policies/doors.ts';
import { catalogue } from '../../src/problems/catalogue.ts';
import { RawClient } from './body-doors.ts';
import { call, open, parseAnswer, type Answer, type CallOptions } from './client.ts';
import { API_KEY } from './shop.ts';

/** A request to a door, whichever it is. */
export interface Asking {
  /** Whether it carries a credential; default true. */
  readonly known?: boolean;
  /** A request body of so many bytes. */
  readonly bodyBytes?: number;
  /** Whether the client falls silent within its body. */
  readonly stalls?: boolean;
  /** More header fields. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Whether a browser asks for leave to send the request. */
  readonly isPreflight?: boolean;
}

/** What came of a request, at whichever door. */
export interface Outcome {
  /** Of HTTP; 101 for a socket that was opened; of the problem that a status of gRPC stands for. */
  readonly status: number;
  /** Of the head of the answer, or of the handshake. */
  readonly fields: IncomingHttpHeaders;
  /** The code of the problem that was told, in whatever form. */
  readonly code: string | undefined;
  readonly text: string;
}

type Ask = (url: string, asking: Asking) => Promise<Outcome>;

const FRAME_HEAD_BYTES = 5;
const QUERY = '{ doorPong }';
const JSON_TYPE = { 'content-type': 'application/json' };
const EVENTS = { accept: 'text/event-stream' };
const TOKEN = 'x-graphql-event-stream-token';
const GRAPHQL_GET = `/graphql?query=${encodeURIComponent(QUERY)}`;

/** A client for each door. */
export const ASK: Readonly<Record<DoorName, Ask>> = {
  proxied: http('/proxied', { withBody: 'POST' }),
  translated: async (url, asking) =>
    hasBody(asking)
      ? http('/test/echo', { withBody: 'POST' })(url, asking)
      : http('/test/items/a')(url, asking),
  aggregated: http('/composed/7'),
  passedGrpc,
  controller: http('/door', { withBody: 'POST' }),
  view: http('/page'),
  viewStream: http('/page', { headers: { accept: 'application/x-ndjson' } }),
  graphqlPost: http('/graphql', { method: 'POST' }),
  graphqlGet: http(GRAPHQL_GET),
  graphqlEvents: http('/graphql', { method: 'POST', headers: EVENTS }),
  graphqlReserved: reserved,
  graphqlSocket,
  translatedSocket: messageOver('/test/chat/hi'),
  forwardedSocket: messageOver('/socket'),
};

const hasBody = ({ bodyBytes, stalls }: Asking): boolean => bodyBytes !== undefined || stalls === true;

function http(
  path: string,
  {
    method = 'GET',
    withBody = method,
    headers = {},
  }: { method?: string; withBody?: string; headers?: object } = {},
): Ask {
  return async (url, asking) => {
    const used = hasBody(asking) ? withBody : method;
    if (asking.isPreflight === true) return preflight(url + path, used, asking);
    const fields = { ...JSON_TYPE, ...headers, ...credential(asking) };
    if (asking.stalls === true) return stalled(url, { path, method: used, fields });
    const isOperation = path === '/graphql';
    const padding = 'x'.repeat(asking.bodyBytes ?? 0);
    const body = isOperation
      ? JSON.stringify({ query: `${QUERY} # ${padding}` })
      : hasBody(asking)
        ? JSON.stringify({ stringValue: padding })
        : undefined;
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    return told(await call(url + path, { method: used, headers: { ...fields, ...length }, body }));
  };
}

/** As browsers do, who send no credential with it. */
async function preflight(url: string, method: string, { fields }: Asking): Promise<Outcome> {
  const headers = { ...fields, 'access-control-request-method': method };
  return told(await call(url, { method: 'OPTIONS', headers }));
}

/** Sends the head of a request and the first byte of its body. */
async function stalled(
  url: string,
  { path, method, fields }: { path: string; method: string; fields: object },
): Promise<Outcome> {
  const client = new RawClient(url);
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  client.post({ path, fields: lines.join('') }, { method, body: '{' });
  await client.closed;
  return told(parseAnswer(client.heard));
}

/** Reserves a stream, opens it, and runs an operation on it. */
async function reserved(url: string, asking: Asking): Promise<Outcome> {
  if (asking.isPreflight === true) return preflight(`${url}/graphql`, 'PUT', asking);
  const ours = { ...JSON_TYPE, ...credential(asking) };
  const reservation = await call(`${url}/graphql`, { method: 'PUT', headers: ours });
  if (reservation.status !== 201) return told(reservation);
  const headers = { ...ours, [TOKEN]: reservation.text };
  const stream = await open(`${url}/graphql`, { headers: { ...headers, ...EVENTS } });
  if (stream.statusCode !== 200) return told(await wholeOf(stream));
  const ask = { method: 'POST', headers };
  if (asking.stalls === true) {
    const outcome = await stalled(url, { path: '/graphql', method: 'POST', fields: headers });
    stream.destroy();
    return outcome;
  }
  const padding = 'x'.repeat(asking.bodyBytes ?? 0);
  const body = JSON.stringify({ query: `${QUERY} # ${padding}`, extensions: { operationId: '1' } });
  const accepted = await call(`${url}/graphql`, {
    ...ask,
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    body,
  } satisfies CallOptions);
  if (accepted.status !== 202) {
    stream.destroy();
    return told(accepted);
  }
  let text = '';
  for await (const chunk of stream) if ((text += String(chunk)).includes('event: next')) break;
  return told({ status: 200, headers: stream.headers, text });
}

async function graphqlSocket(url: string, asking: Asking): Promise<Outcome> {
  const opened = await handshake(`${url}/graphql`, asking, ['graphql-transport-ws']);
  if (!('socket' in opened)) return opened;
  const { socket, fields } = opened;
  const answer = new Promise<Outcome>((resolve) => {
    const tell = (text: string, code?: string): void =>
      resolve({ ...told({ status: 101, headers: fields, text }), ...(code && { code }) });
    socket.once('close', (_code, reason) => tell('', String(reason)));
    socket.on('message', (data) => {
      const { type } = JSON.parse(String(data as Buffer)) as { type: string };
      if (type === 'next' || type === 'error') tell(String(data as Buffer));
      if (type !== 'connection_ack') return;
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY } }));
    });
  });
  socket.send('{"type":"connection_init"}');
  const outcome = await answer;
  socket.terminate();
  return outcome;
}

/** Opens a socket and waits for the answer to a message. */
function messageOver(path: string): Ask {
  return async (url, asking) => {
    const opened = await handshake(url + path, asking);
    if (!('socket' in opened)) return opened;
    const { socket, fields } = opened;
    const answer = Promise.race([once(socket, 'message'), once(socket, 'close')]);
    socket.send('{"number":1}');
    const [text] = (await answer) as [unknown];
    socket.terminate();
    return told({ status: 101, headers: fields, text: String(text) });
  };
}

/** Calls as browsers do, which says the same as others hear, over HTTP/1.1. */
async function passedGrpc(url: string, asking: Asking): Promise<Outcome> {
  const path = '/rpc/test.v1.Kinds/Echo';
  if (asking.isPreflight === true) return preflight(url + path, 'POST', asking);
  const fields = { ...credential(asking), 'content-type': 'application/grpc-web+proto' };
  if (asking.stalls === true) return ofGrpc(await stalled(url, { path, method: 'POST', fields }));
  const body = Buffer.alloc(FRAME_HEAD_BYTES + (asking.bodyBytes ?? 0));
  body.writeUInt32BE(asking.bodyBytes ?? 0, 1);
  const headers = { ...fields, 'content-length': body.length };
  return ofGrpc(told(await call(url + path, { method: 'POST', headers, body })));
}

/** The problem that stands behind a status of gRPC, which has its title. */
function ofGrpc(outcome: Outcome): Outcome {
  const message = decodeURIComponent(String(outcome.fields['grpc-message'] ?? ''));
  const found = Object.entries(catalogue).find(([, { title }]) => title === message);
  return found === undefined ? outcome : { ...outcome, code: found[0], status: found[1].status };
}

interface Opened {
  readonly socket: WebSocket;
  readonly fields: IncomingHttpHeaders;
}

async function handshake(url: string, asking: Asking, protocols: string[] = []): Promise<Opened | Outcome> {
  const socket = new WebSocket(url.replace('http', 'ws'), protocols, { headers: credential(asking) });
  socket.on('error', () => undefined);
  let fields: IncomingHttpHeaders = {};
  (socket as EventEmitter).once('upgrade', ({ headers }: IncomingMessage) => (fields = headers));
  const refusal = once(socket, 'unexpected-response') as Promise<[unknown, IncomingMessage]>;
  const outcome = await Promise.race([once(socket, 'open'), refusal]);
  const response = outcome[1] as IncomingMessage | undefined;
  return response === undefined ? { socket, fields } : told(await wholeOf(response));
}

async function wholeOf(incoming: IncomingMessage): Promise<Pick<Answer, 'status' | 'headers' | 'text'>> {
  let text = '';
  for await (const chunk of incoming) text += String(chunk);
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, text };
}

function credential({ known = true, fields }: Asking): Record<string, string> {
  return known ? { 'x-api-key': API_KEY, ...fields } : { ...fields };
}

function told({ status, headers, text }: Pick<Answer, 'status' | 'headers' | 'text'>): Outcome {
  return { status, fields: headers, code: /"code":"([a-z-]+)"/.exec(text)?.[1], text };
}
