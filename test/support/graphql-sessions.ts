import { WebSocket } from 'ws';
import type { DoorAnswer } from './graphql-doors.ts';

/** What a client sends as the parameters of a request. */
export type GraphqlParams = Readonly<Record<string, unknown>>;

/** A client at one of the doors, which can ask again and again. */
export interface GraphqlSession {
  /** Asks, and waits for the first answer; a problem over HTTP is shown as the error that it is at the other doors. */
  ask(params: GraphqlParams): Promise<DoorAnswer>;
  /** Leaves; resolves when the gateway knows. */
  close(): Promise<void>;
}

/** Whom a session talks to, and as whom. */
export interface SessionOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

type OpenSession = (options: SessionOptions) => Promise<GraphqlSession>;
type Waiting = Map<string, (answer: DoorAnswer) => void>;

const EVENTS = 'text/event-stream';
const TOKEN = 'x-graphql-event-stream-token';

/** Every way to run an operation, each as the transport has it and no client library between. */
export const GRAPHQL_SESSIONS: Readonly<Record<string, OpenSession>> = {
  post: (options) => each((params) => post(options, params)),
  get: (options) => each((params) => get(options, params)),
  'stream by post': (options) => each((params) => post(options, params, { accept: EVENTS })),
  'stream by get': (options) => each((params) => get(options, params, { accept: EVENTS })),
  'reserved stream': reservedStream,
  socket,
};

/** The names of the doors. */
export const SESSION_DOORS = Object.keys(GRAPHQL_SESSIONS);

/** Opens a session at a door. */
export function openSession(door: string, options: SessionOptions): Promise<GraphqlSession> {
  const open = GRAPHQL_SESSIONS[door];
  if (open === undefined) throw new Error(`there is no door ${door}`);
  return open(options);
}

function each(ask: (params: GraphqlParams) => Promise<Response>): Promise<GraphqlSession> {
  const session = { ask: async (params: GraphqlParams) => answerOf(await ask(params)), close: nothing };
  return Promise.resolve(session);
}

const nothing = (): Promise<void> => Promise.resolve();

function post(
  { url, headers }: SessionOptions,
  params: GraphqlParams,
  more: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers, ...more },
    body: JSON.stringify(params),
  });
}

function get(
  { url, headers }: SessionOptions,
  params: GraphqlParams,
  more: Record<string, string> = {},
): Promise<Response> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    query.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  return fetch(`${url}/graphql?${query.toString()}`, { headers: { ...headers, ...more } });
}

async function answerOf(response: Response): Promise<DoorAnswer> {
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('application/problem+json')) return problemAnswer(text);
  if (!type.startsWith(EVENTS)) return JSON.parse(text) as DoorAnswer;
  const data = /event: next\ndata: (.*)\n/.exec(text)?.[1];
  if (data === undefined) throw new Error(`no event in ${text}`);
  return JSON.parse(data) as DoorAnswer;
}

function problemAnswer(text: string): DoorAnswer {
  const { code, title, detail = title } = JSON.parse(text) as Record<string, string>;
  return { errors: [{ message: String(detail), extensions: { code } }] };
}

async function reservedStream(options: SessionOptions): Promise<GraphqlSession> {
  const { url, headers } = options;
  const put = await fetch(`${url}/graphql`, { method: 'PUT', headers });
  const own = { ...headers, [TOKEN]: await put.text() };
  const stream = await fetch(`${url}/graphql`, { headers: { ...own, accept: EVENTS } });
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
  const waiting: Waiting = new Map();
  const ended = readEvents(reader, waiting);
  let last = 0;
  return {
    async ask(params) {
      const operationId = String((last += 1));
      const answer = new Promise<DoorAnswer>((resolve) => waiting.set(operationId, resolve));
      const extensions = { ...(params['extensions'] as object | undefined), operationId };
      const response = await post({ url, headers: own }, { ...params, extensions });
      if (response.status === 202) return answer;
      return answerOf(response);
    },
    async close() {
      await reader.cancel();
      await ended;
    },
  };
}

async function readEvents(reader: ReadableStreamDefaultReader<Uint8Array>, waiting: Waiting): Promise<void> {
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += Buffer.from(value).toString();
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const data = /^event: next\ndata: (.*)$/.exec(event)?.[1];
      if (data === undefined) continue;
      const { id, payload } = JSON.parse(data) as { id: string; payload: DoorAnswer };
      waiting.get(id)?.(payload);
    }
  }
}

interface Message {
  readonly id?: string;
  readonly type: string;
  readonly payload?: unknown;
}

async function socket({ url, headers }: SessionOptions): Promise<GraphqlSession> {
  const client = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { headers });
  const waiting: Waiting = new Map();
  const closed = new Promise<void>((resolve) => client.on('close', () => resolve()));
  const acknowledged = new Promise<void>((resolve, reject) => {
    client.on('error', reject);
    client.on('message', (data) => {
      const { id = '', type, payload } = JSON.parse(String(data as Buffer)) as Message;
      if (type === 'connection_ack') resolve();
      else if (type === 'next') waiting.get(id)?.(payload as DoorAnswer);
      else if (type === 'error') waiting.get(id)?.({ errors: payload as NonNullable<DoorAnswer['errors']> });
    });
  });
  client.on('open', () => client.send('{"type":"connection_init"}'));
  await acknowledged;
  let last = 0;
  return {
    ask(params) {
      const id = String((last += 1));
      const answer = new Promise<DoorAnswer>((resolve) => waiting.set(id, resolve));
      // Whoever asks by a hash sends an empty text, as the libraries of clients do.
      client.send(JSON.stringify({ id, type: 'subscribe', payload: { query: '', ...params } }));
      return answer;
    },
    async close() {
      client.close();
      await closed;
    },
  };
}
