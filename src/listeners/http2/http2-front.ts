import { METHODS, type IncomingMessage, type Server } from 'node:http';
import {
  constants,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
  type Settings,
} from 'node:http2';
import type { Socket } from 'node:net';
import { connectionOf, type ClientConnection } from '../../exchange/client-connection.ts';
import { SessionGuard, type SessionLimits } from './session-guard.ts';
import { StreamRequest } from './stream-request.ts';
import { StreamResponse } from './stream-response.ts';
import { StreamSocket } from './stream-socket.ts';

/** Requests of one connection, unless its listener says otherwise; then its client opens another one. */
export const REQUESTS_PER_CONNECTION = 10_000;
/** Fields of a head, pseudo-header fields among them. */
const MOST_FIELDS = 100;
/** A head that is larger is answered; one that is so many times as large loses its stream before anybody sees it. */
const ANSWERED_UP_TO = 4;
const FIELD_BYTES = 32;
/** Frames that break a rule, of one connection. */
const MOST_INVALID_FRAMES = 50;
/** Streams beyond what is allowed at once, of one connection. */
const MOST_REFUSED = 1000;
const LOOK_EVERY_MS = 1000;
/** How long a client may leave its side open once ours has ended, in ms. */
const LINGER_MS = 1000;

const SCHEMES: ReadonlySet<string> = new Set(['http', 'https']);

const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);

type UpgradingServer = Server & { shouldUpgradeCallback(request: IncomingMessage): boolean };

const KNOWN_EXPECTATION = /(?:^|\W)100-continue(?:$|\W)/i;

/** How connections of HTTP/2 are served. */
export interface Http2FrontOptions extends SessionLimits {
  /** Gets every request, as `node:http` would have made it. */
  readonly main: Server;
  readonly concurrentStreams: number;
  /** Most bytes of a head, as HTTP/2 counts: 32 for each field besides its name and value. */
  readonly headBytes: number;
}

/** Speaks HTTP/2 with clients, on connections that somebody else has accepted, and hands their requests to one HTTP/1.1 server. */
export class Http2Front {
  readonly #server: Http2Server;
  #options: Http2FrontOptions;
  readonly #sessions = new Map<ServerHttp2Session, SessionGuard>();
  #timer: NodeJS.Timeout | undefined = undefined;
  #isAnnounced = false;
  #isLeaving = false;

  constructor(options: Http2FrontOptions) {
    this.#options = options;
    this.#server = createServer(serverOptions(options));
    this.#server.on('session', (session) => this.#began(session));
    this.#server.on('sessionError', () => {});
    this.#server.on('stream', (...given: unknown[]) => {
      const [stream, , , raw] = given as [ServerHttp2Stream, object, number, string[]];
      this.#serve(stream, raw);
    });
  }

  /** Changes what holds for connections that come from now on. */
  limit(changed: Pick<Http2FrontOptions, 'headerTimeMs' | 'concurrentStreams'>): void {
    if (changed.concurrentStreams !== this.#options.concurrentStreams)
      this.#server.updateSettings(settingsOf({ ...this.#options, ...changed }));
    this.#options = { ...this.#options, ...changed };
  }

  /** Takes a connection over; what is known of it is noted on the socket. */
  accept(socket: Socket): void {
    // A connection has no half that could stay open: who ends his side has left, and whoever works for him is to know.
    socket.once('end', () => socket.end());
    // The library waits for the client without an end; one that neither reads nor leaves would hold us.
    socket.once('finish', () => cutLater(socket));
    this.#server.emit('connection', socket);
  }

  /** Tells clients that their connections end, also those that come from now on, with their first request; they are still served. */
  announce(): void {
    this.#isAnnounced = true;
    for (const guard of this.#sessions.values()) guard.announce();
  }

  /** Ends all connections, each after the streams that it has; none begins any more once a client has heard of it. */
  leave(): void {
    this.#isLeaving = true;
    for (const guard of this.#sessions.values()) guard.leave();
  }

  #began(session: ServerHttp2Session): void {
    const guard = new SessionGuard(session, this.#options);
    this.#sessions.set(session, guard);
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
    session.once('close', () => this.#ended(session));
    // What the connection begins with goes first.
    if (this.#isLeaving) setImmediate(() => guard.leave());
  }

  #ended(session: ServerHttp2Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = performance.now();
    for (const guard of this.#sessions.values()) guard.look(now);
  }

  #serve(stream: ServerHttp2Stream, raw: readonly string[]): void {
    // First of all: one whose connection has ended meanwhile says so next, and nobody else would hear it.
    stream.on('error', () => {});
    const session = stream.session as ServerHttp2Session | undefined;
    const connection = session && connectionOf(session.socket);
    if (session === undefined || connection === undefined) return void stream.destroy();
    const socket = new StreamSocket(stream, connection);
    const size = sizeOf(raw);
    // The library looks at what a client has acknowledged, which it may leave.
    if (size > ANSWERED_UP_TO * this.#options.headBytes)
      return void socket.destroy(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    const request = new StreamRequest(stream, raw, socket);
    // Of other schemes nobody has ever heard here; which of the two it is the connection says.
    if (!SCHEMES.has(request.scheme) && (request.wantsTunnel || request.method !== 'CONNECT'))
      return void socket.destroy(constants.NGHTTP2_PROTOCOL_ERROR);
    if (size > this.#options.headBytes || raw.length / 2 > MOST_FIELDS) request.refuse('headers-too-large');
    // As the parser of HTTP/1.1: of a method that nobody knows nothing is asked any further.
    else if (!KNOWN_METHODS.has(request.method ?? '')) request.refuse('method-not-implemented');
    const guard = this.#sessions.get(session);
    guard?.began(stream, socket);
    if (guard !== undefined) this.#endAfterMany(guard, connection);
    this.#handOver(request, new StreamResponse(request, stream, socket));
  }

  #handOver(request: StreamRequest, response: StreamResponse): void {
    const main = this.#options.main as UpgradingServer;
    if (!request.wantsTunnel) return void main.emit(eventOf(request), request, response);
    if (main.shouldUpgradeCallback(request)) return void main.emit('tunnel', request, response);
    request.refuseTunnel();
    main.emit('request', request, response);
  }

  #endAfterMany(guard: SessionGuard, { listener }: ClientConnection): void {
    const most = Math.min(listener.requestsPerConnection, REQUESTS_PER_CONNECTION);
    if (guard.streams >= most || listener.isLeaving) guard.leave();
    // What the connection begins with goes first.
    else if (this.#isAnnounced) setImmediate(() => guard.announce());
  }
}

/** As RFC 9113 section 6.5.2 counts. */
function sizeOf(raw: readonly string[]): number {
  let size = raw.length * (FIELD_BYTES / 2);
  for (const text of raw) size += text.length;
  return size;
}

function eventOf({ headers: { expect } }: StreamRequest): string {
  if (expect === undefined) return 'request';
  return KNOWN_EXPECTATION.test(expect) ? 'checkContinue' : 'checkExpectation';
}

function cutLater(socket: Socket): void {
  const cut = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once('close', () => clearTimeout(cut));
}

function serverOptions(options: SettingsOptions): ServerOptions {
  return {
    settings: settingsOf(options),
    maxHeaderListPairs: ANSWERED_UP_TO * MOST_FIELDS,
    maxSessionInvalidFrames: MOST_INVALID_FRAMES,
    // A client may have begun many before it hears how many are allowed.
    maxSessionRejectedStreams: MOST_REFUSED,
    streamResetBurst: 100,
    streamResetRate: 33,
  };
}

type SettingsOptions = Pick<Http2FrontOptions, 'concurrentStreams' | 'headBytes'>;

function settingsOf({ concurrentStreams, headBytes }: SettingsOptions): Settings {
  return {
    maxConcurrentStreams: concurrentStreams,
    maxHeaderListSize: ANSWERED_UP_TO * headBytes,
    enablePush: false,
    // Whatever a configuration says: nobody may take it back (RFC 8441 section 3).
    enableConnectProtocol: true,
  };
}
