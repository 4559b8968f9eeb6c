import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { isIPv6 } from 'node:net';
import { ANSWER_FIELDS } from '../admin/answer-fields.ts';
import { CHANGES_PATH, describeChanges } from '../admin/changes-page.ts';
import type { AdminAccess } from '../admin/access/admin-access.ts';
import { boundConnections, SERVER_OPTIONS } from '../admin/access/connection-bounds.ts';
import { formFault, pathOf } from '../admin/access/request-form.ts';
import { isForAll, type RelayedAnswer, type RelayedRequest } from '../admin/relayed-requests.ts';
import { MOST_SESSION_BYTES } from '../admin/session-pages.ts';
import type { Changes } from '../telemetry/changes.ts';
import type { LogLevel } from '../telemetry/log-level.ts';
import type { Logger } from '../telemetry/logger.ts';
import { METRICS_TYPES, metricsFormat } from '../telemetry/metrics-format.ts';
import type { Crew } from './crew.ts';
import type { CrewMetrics } from './crew-metrics.ts';
import type { Member } from './member.ts';
import { followLevel, keepLevel } from './joint-level.ts';
import { keepOverrides } from './joint-overrides.ts';
import { ReloadTurns } from '../snapshot/reload-turns.ts';
import { isSessionOrder, SessionOrder } from './session-order.ts';

const MOST_BODY_BYTES = 1024 * 1024;
const NOTHING = Buffer.alloc(0);
const NONE = { error: 'no worker is there to answer; see the log' };
/** Fields of a connection, not of what goes over it. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
]);

/** What the operators' listener of the primary needs. */
export interface OperatorsDoorDeps {
  readonly crew: Crew;
  readonly metrics: CrewMetrics;
  /** Who may come, and who has a session. */
  readonly access: AdminAccess;
  readonly logger: Logger;
  /** Of the log of this process. */
  readonly level: LogLevel;
  /** What has changed lately, in all workers. */
  readonly changes: Changes;
  readonly port: number;
  readonly host: string;
}

/**
 * The operators' listener in front of workers. A worker answers, by the rules of its own listener, which looks at who asks and
 * takes note of orders; the answer says which one it was. An order that each has to hear is carried out by all. Metrics are
 * those of all of them.
 */
export class OperatorsDoor {
  readonly #deps: OperatorsDoorDeps;
  readonly #server: Server;
  /** Of orders that each worker has to hear. */
  readonly #turns = new ReloadTurns();

  constructor(deps: OperatorsDoorDeps) {
    this.#deps = deps;
    const take = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#take(request, response);
    const { serverOptions } = deps.access;
    this.#server =
      serverOptions === undefined
        ? createServer(SERVER_OPTIONS, take)
        : createSecureServer({ ...SERVER_OPTIONS, ...serverOptions }, take);
    boundConnections(this.#server);
  }

  /** Starts to listen; returns the address. @throws {Error} as `net.Server` does. */
  async listen(): Promise<string> {
    const { port, host, access, logger } = this.#deps;
    access.watch(logger, this.#server instanceof SecureServer ? this.#server : undefined);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, host }, resolve);
    });
    const { address, port: taken } = this.#server.address() as AddressInfo;
    return `${access.isTls ? 'https' : 'http'}://${isIPv6(address) ? `[${address}]` : address}:${taken}`;
  }

  /** Stops listening and cuts open connections. */
  close(): void {
    this.#deps.access.unwatch();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Has a worker that has just begun to listen go by what operators have ordered of all of them. */
  keep(member: Member): void {
    const { crew, level } = this.#deps;
    void this.#turns.take(async () => {
      // One that takes the place of another speaks as the others do.
      void keepLevel(member, level);
      await keepOverrides(member, crew.listening);
    });
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url, wanted } = chosen(pathOf(request.url ?? '/'));
    const verdict = this.#deps.access.judge(request);
    const isKnown = 'caller' in verdict;
    const mostBytes = isSessionOrder({ url }) ? MOST_SESSION_BYTES : isKnown ? MOST_BODY_BYTES : 0;
    // Of who is not let in nothing is read, and nothing kept.
    const body = mostBytes === 0 ? NOTHING : await bodyOf(request, mostBytes).catch(() => undefined);
    if (response.destroyed) return;
    if (body === undefined) return send(response, 413, { error: `a body has at most ${mostBytes} bytes` });
    try {
      const asked = this.#asked(request, { url, body, verdict });
      // Nor is whoever is not let in told how many there are.
      await this.#answer(request, { asked, wanted: isKnown ? wanted : undefined }, response);
    } catch (error) {
      send(response, 502, { error: `a worker has not answered: ${(error as Error).message}` });
    }
  }

  #asked(request: IncomingMessage, known: Pick<RelayedRequest, 'url' | 'body' | 'verdict'>): RelayedRequest {
    const { method = 'GET', headers, socket } = request;
    return {
      ...known,
      method,
      headers: fieldsOf(headers),
      address: socket.remoteAddress ?? '',
      localAddress: socket.localAddress ?? '',
      isTls: this.#deps.access.isTls,
      formFault: formFault(request),
      isEcho: false,
    };
  }

  async #answer(
    request: IncomingMessage,
    { asked, wanted }: { readonly asked: RelayedRequest; readonly wanted: string | undefined },
    response: ServerResponse,
  ): Promise<void> {
    const { access } = this.#deps;
    const session = new SessionOrder(access, asked);
    const { listening } = this.#deps.crew;
    if (wanted === 'all') return this.#showAll(listening, asked, response);
    // What is wrong has to be seen while one of them hangs.
    const first = listening.find(({ isSilent }) => !isSilent) ?? listening[0];
    const member = wanted === undefined ? first : listening.find(({ slot }) => String(slot) === wanted);
    if (member === undefined) return send(response, wanted === undefined ? 503 : 404, NONE);
    const { told, repeated } = await this.#give(member, session.asked);
    const answer = session.settle(told);
    // A worker has looked at who asks.
    if (isOf(asked, '/metrics') && answer.status === 200) {
      const format = metricsFormat(request.headers.accept);
      const page = await this.#deps.metrics.page(format);
      return reply(response, {
        ...answer,
        headers: { 'content-type': METRICS_TYPES[format], vary: 'Accept' },
        body: page,
      });
    }
    if (isOf(asked, CHANGES_PATH) && answer.status === 200) {
      const query = Object.fromEntries(new URL(asked.url, 'http://localhost').searchParams);
      return send(response, 200, describeChanges(this.#deps.changes, query));
    }
    if (isOf(asked, '/workers') && answer.status === 200) return send(response, 200, this.#describe());
    const failed = (await repeated).flat();
    if (failed.length > 0)
      return send(response, 502, { error: `not all workers have done it: ${failed.join('; ')}` });
    reply(response, answer, answer.reach === 'all' ? 'all' : String(member.slot));
  }

  /** Has one worker answer, and others do the same. @returns what it has told, and why others have not done it. */
  async #give(member: Member, asked: RelayedRequest): Promise<Given> {
    const give = async (): Promise<Given> => {
      const told = await member.channel.ask('admin', asked);
      const isOrdered = told.reach === 'all' && told.status < 400;
      if (isOrdered) followLevel(asked, this.#deps.level);
      // Those that listen by now: one that has begun meanwhile has not heard of it from anybody.
      const others = isOrdered ? this.#deps.crew.listening.filter((one) => one !== member) : [];
      return { told, repeated: Promise.all(others.map((one) => repeat(one, asked))) };
    };
    // The next one may be given as soon as all are told, whose pipes keep the order.
    return isForAll(asked) ? this.#turns.take(give) : give();
  }

  async #showAll(members: readonly Member[], asked: RelayedRequest, response: ServerResponse): Promise<void> {
    if (asked.method !== 'GET')
      return send(response, 400, { error: '`worker=all` is for pages; orders reach whom they have to' });
    const answers = await Promise.all(
      members.map(async ({ slot, channel }) => {
        const { status, body } = await channel.ask('admin', asked).catch(gone);
        return [slot, { status, body: parsed(body) }] as const;
      }),
    );
    const refused = answers.find(([, { status }]) => status === 401 || status === 403);
    if (refused !== undefined) return send(response, refused[1].status, refused[1].body);
    send(
      response,
      answers.length === 0 ? 503 : 200,
      Object.fromEntries(answers.map(([slot, { body }]) => [slot, body])),
    );
  }

  #describe(): object {
    const { crew } = this.#deps;
    const { wanted } = crew.workforce;
    return {
      wanted,
      restarting: crew.isRestarting,
      workers: crew.all.map(({ slot, pid, state, startedAt }) => ({
        worker: slot,
        pid,
        state,
        startedAt: new Date(startedAt).toISOString(),
      })),
    };
  }
}

interface Given {
  readonly told: RelayedAnswer;
  readonly repeated: Promise<readonly (readonly string[])[]>;
}

async function repeat({ slot, channel }: Member, asked: RelayedRequest): Promise<readonly string[]> {
  const { status, body } = await channel.ask('admin', { ...asked, isEcho: true }).catch(gone);
  return status < 400 ? [] : [`worker ${slot} answered ${status} ${body.toString().slice(0, 200)}`];
}

function gone(error: Error): Pick<RelayedAnswer, 'status' | 'body'> {
  return { status: 502, body: Buffer.from(JSON.stringify({ error: error.message })) };
}

function isOf({ method, url }: RelayedRequest, path: string): boolean {
  return (method === 'GET' || method === 'HEAD') && url.split('?', 1)[0] === path;
}

/** Takes `worker=` out of a query, which no page has a use for. */
function chosen(url: string): { readonly url: string; readonly wanted: string | undefined } {
  const at = url.indexOf('?');
  const [path, query] = at < 0 ? [url] : [url.slice(0, at), url.slice(at + 1)];
  if (query === undefined) return { url, wanted: undefined };
  const pairs = query.split('&');
  const wanted = pairs.find((pair) => pair.startsWith('worker='))?.slice('worker='.length);
  const rest = pairs.filter((pair) => !pair.startsWith('worker=')).join('&');
  return { url: rest === '' ? path : `${path}?${rest}`, wanted };
}

function fieldsOf(headers: IncomingMessage['headers']): RelayedRequest['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return body.toString();
  }
}

async function bodyOf(request: IncomingMessage, mostBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function reply(response: ServerResponse, { status, headers, body }: RelayedAnswer, worker = 'all'): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !HOP_BY_HOP.has(name)) response.setHeader(name, value);
  response.setHeader('gatehouse-worker', worker).end(body);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return void response.destroy();
  const type = { 'content-type': 'application/json; charset=utf-8' };
  response.writeHead(status, { ...ANSWER_FIELDS, ...type }).end(JSON.stringify(body));
}
