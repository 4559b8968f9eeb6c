import { once } from 'node:events';
import { WebSocket } from 'ws';

/** What a client asks the GraphQL door for; variables are JSON as text, so that their digits are what they are. */
export interface DoorRequest {
  readonly query: string;
  readonly variables?: string;
  readonly operationName?: string;
}

/** An answer, whichever door it came from. */
export interface DoorAnswer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

type Ask = (url: string, request: DoorRequest, headers?: Record<string, string>) => Promise<DoorAnswer>;

const EVENTS = 'text/event-stream';

/** The ways to run an operation, each with a client of its own. */
export const GRAPHQL_DOORS: Readonly<Record<string, Ask>> = {
  post: (url, request, headers) => post(url, request, headers).then(json),
  get: (url, request, headers = {}) => fetch(addressOf(url, request), { headers }).then(json),
  'stream by post': (url, request, headers) =>
    post(url, request, { accept: EVENTS, ...headers }).then(firstEvent),
  'stream by get': (url, request, headers) =>
    fetch(addressOf(url, request), { headers: { accept: EVENTS, ...headers } }).then(firstEvent),
  socket: bySocket,
};

/** The doors that also run subscriptions. */
export const LIVE_DOORS = ['stream by post', 'stream by get', 'socket'] as const;

function bodyOf({ query, variables, operationName }: DoorRequest): string {
  const name = operationName === undefined ? '' : `,"operationName":${JSON.stringify(operationName)}`;
  return `{"query":${JSON.stringify(query)},"variables":${variables ?? 'null'}${name}}`;
}

function post(url: string, request: DoorRequest, headers: Record<string, string> = {}): Promise<Response> {
  const body = bodyOf(request);
  return fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
}

function addressOf(url: string, { query, variables, operationName }: DoorRequest): string {
  const params = new URLSearchParams({ query });
  if (variables !== undefined) params.set('variables', variables);
  if (operationName !== undefined) params.set('operationName', operationName);
  return `${url}/graphql?${params.toString()}`;
}

async function json(response: Response): Promise<DoorAnswer> {
  return (await response.json()) as DoorAnswer;
}

async function firstEvent(response: Response): Promise<DoorAnswer> {
  if (!(response.headers.get('content-type') ?? '').startsWith(EVENTS)) return json(response);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    text += decoder.decode(value, { stream: true });
    const data = /event: next\ndata: (.*)\n/.exec(text)?.[1];
    if (data !== undefined) {
      await reader.cancel();
      return JSON.parse(data) as DoorAnswer;
    }
    if (done) throw new Error(`no event in ${text}`);
  }
}

interface Message {
  readonly type: string;
  readonly payload?: unknown;
}

async function bySocket(
  url: string,
  request: DoorRequest,
  headers: Record<string, string> = {},
): Promise<DoorAnswer> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { headers });
  await once(socket, 'open');
  const answer = new Promise<DoorAnswer>((resolve, reject) => {
    socket.on('close', (code, reason) => reject(new Error(`closed with ${code} ${String(reason)}`)));
    socket.on('message', (data) => {
      const { type, payload } = JSON.parse(String(data as Buffer)) as Message;
      if (type === 'connection_ack')
        socket.send(`{"id":"1","type":"subscribe","payload":${bodyOf(request)}}`);
      else if (type === 'next') resolve(payload as DoorAnswer);
      else if (type === 'error') resolve({ errors: payload as NonNullable<DoorAnswer['errors']> });
    });
  });
  socket.send('{"type":"connection_init"}');
  try {
    return await answer;
  } finally {
    socket.close();
  }
}
