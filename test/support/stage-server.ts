import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Exchange } from '../../src/exchange/exchange.ts';
import { enterStages, type Stage } from '../../src/policies/stage.ts';
import { Problem, PROBLEM_MEDIA_TYPE, problemBody } from '../../src/problems/problem.ts';
import { continueTrace } from '../../src/telemetry/trace-context.ts';

/** What came back from a stage server. */
export interface StageAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** The problem body, or `{ principal, synchronous }` when every stage let the request pass. */
  readonly body: Record<string, unknown>;
}

/** A server on a real socket that runs stages and answers with what they found out. */
export interface StageServer {
  readonly url: string;
  /** Sends a GET; a list of values sends the header several times. */
  get(headers?: Record<string, string | string[]>): Promise<StageAnswer>;
  stop(): Promise<void>;
}

/** Starts a server on a free port whose every request passes through the stages. */
export async function startStageServer(stages: readonly Stage[]): Promise<StageServer> {
  const server = createServer((incoming, outgoing) => void answer(stages, incoming, outgoing));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  return {
    url,
    get: (headers = {}) => get(url, headers),
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Makes the exchange of a request, the way the open stage does. */
export function exchangeFor(incoming: IncomingMessage, outgoing: ServerResponse): Exchange {
  return new Exchange({
    id: 'test',
    trace: continueTrace(undefined, undefined),
    clientAddress: '127.0.0.1',
    scheme: 'http',
    host: 'localhost',
    path: '/',
    query: '',
    request: incoming,
    response: outgoing,
  });
}

async function answer(
  stages: readonly Stage[],
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const exchange = exchangeFor(incoming, outgoing);
  try {
    const pending = enterStages(stages, exchange);
    await pending;
    const body = { principal: exchange.principal, synchronous: pending === undefined };
    outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  } catch (error) {
    const problem = error instanceof Problem ? error : new Problem('internal', { detail: String(error) });
    const headers = { ...problem.headers, 'content-type': PROBLEM_MEDIA_TYPE };
    outgoing.writeHead(problem.status, headers).end(JSON.stringify(problemBody(problem, exchange.id)));
  }
}

async function get(url: string, headers: Record<string, string | string[]>): Promise<StageAnswer> {
  const outgoing = request(url, { headers, agent: false });
  outgoing.end();
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of incoming.setEncoding('utf8')) text += String(chunk);
  const body = JSON.parse(text) as Record<string, unknown>;
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body };
}
