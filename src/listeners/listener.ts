import { createServer, maxHeaderSize, type Server as HttpServer } from 'node:http';
import {
  createServer as createNetServer,
  isIPv6,
  type AddressInfo,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import type { TLSSocket } from 'node:tls';
import { setConnection, type ClientConnection, type ListenerFacts } from '../exchange/client-connection.ts';
import type { Logger } from '../telemetry/logger.ts';
import { readFirst, sourceOf, versionOf } from './first-bytes.ts';
import { Http2Front } from './http2/http2-front.ts';
import type { ListenerSettings } from './listener-settings.ts';
import { TlsFront } from './tls-front.ts';

/** Events of a server for HTTP/1.1 that somebody answers, or at least hears. */
const EVENTS = ['request', 'upgrade', 'connect', 'checkContinue', 'checkExpectation', 'clientError'] as const;

/** How many connections wait for the settings; more are closed. */
const MOST_EARLY = 1000;

type UpgradingServer = HttpServer & { shouldUpgradeCallback(request: unknown): boolean };

/** What listeners need of the rest of the gateway. */
export interface ListenerDeps {
  /** Gets whatever comes, as if it had accepted it. */
  readonly main: HttpServer;
  /** The options that a server for HTTP/1.1 has. */
  readonly http: Parameters<typeof createServer>[0] & object;
  readonly keepAliveMs: number;
  readonly logger: Logger;
  /** Other processes that listen here have the same one; undefined for a process of its own. */
  readonly ticketSecret?: Buffer | undefined;
  /** Hears of every connection before anything of it is read. */
  accepted(socket: Socket): void;
  /** Hears of every connection that is handed to a server: it has said what goes before HTTP. */
  taken(socket: Socket): void;
  /** Watches a server to which connections are handed. */
  watch(server: HttpServer): void;
  /** Whether an address is one of a list of addresses and blocks. */
  isAmong(list: readonly string[], address: string): boolean;
  /** Hears of a client that was not let in for its certificate, or for having none. */
  denied(address: string, reason: string): void;
  /** Counts a connection of an address. @returns whether it may stay; one that may not was closed. */
  admit(socket: Socket, peer: string, perAddress: number | undefined): boolean;
}

/**
 * One address on which clients connect. Connections are read as far as it takes to know who speaks, and over what, and are
 * then handed to one server for HTTP/1.1 or one for HTTP/2. Another configuration holds for connections that come from
 * then on; those that are open keep their certificates.
 */
export class Listener implements ListenerFacts {
  readonly #deps: ListenerDeps;
  readonly #net: NetServer;
  readonly #http1: HttpServer;
  #http2: Http2Front | undefined = undefined;
  #settings: ListenerSettings | undefined = undefined;
  #tls: TlsFront | undefined = undefined;
  /** How many connections speak HTTP/1.1. */
  #plain = 0;
  /** Those that came before the settings. */
  readonly #early = new Set<Socket>();
  /** Where plain requests are sent to; set with the settings. */
  redirectPort: number | undefined = undefined;
  isLeaving = false;

  constructor(deps: ListenerDeps) {
    this.#deps = deps;
    // As `node:http` has it: a client may end its side before its answer is there.
    this.#net = createNetServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.#http1 = this.#createHttp1();
  }

  get bodyTimeMs(): number {
    const time = this.#settings?.options.limits.bodyTime ?? 'off';
    return time === 'off' ? Infinity : time;
  }

  get requestsPerConnection(): number {
    return this.#settings?.options.limits.requestsPerConnection ?? Infinity;
  }

  /** Where it listens, as a URL. */
  get url(): string {
    const { address, port } = this.#net.address() as AddressInfo;
    const scheme = this.#settings?.tls === undefined ? 'http' : 'https';
    return `${scheme}://${isIPv6(address) ? `[${address}]` : address}:${port}`;
  }

  get port(): number {
    return (this.#net.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Begins to listen; a connection that comes before the first {@link use} waits for it. @throws {Error} as `net.Server` does. */
  listen(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#net.once('error', reject);
      this.#net.listen({ port, host }, () => {
        this.#net.off('error', reject);
        this.#net.on('error', (err) => this.#deps.logger.error({ err }, 'a listener failed'));
        resolve();
      });
    });
  }

  /** Puts settings into force for connections that come from now on. */
  use(settings: ListenerSettings): void {
    const { limits } = settings.options;
    this.#settings = settings;
    this.#http1.headersTimeout = limits.headerTime;
    this.#tls =
      settings.tls &&
      new TlsFront(settings, this.#tls, {
        isHttp2: speaksHttp2(settings),
        ticketSecret: this.#deps.ticketSecret,
        onSecure: (socket, below, connection) => {
          this.#deps.taken(below);
          this.#secured(socket, connection, settings);
        },
        onFault: (raw, reason) => this.#refused(raw, reason),
        onDenied: (address, reason) => this.#deps.denied(address, reason),
      });
    if (speaksHttp2(settings)) {
      this.#http2 ??= this.#createHttp2(settings);
      this.#http2.limit({ headerTimeMs: limits.headerTime, concurrentStreams: limits.concurrentStreams });
    }
    for (const socket of this.#taken()) this.#accept(socket);
  }

  /** Tells clients over HTTP/2 that their connections will end; those over HTTP/1.1 are told with their answers. */
  announce(): void {
    this.#http2?.announce();
  }

  /** Takes no connections any more, and ends those that there are after what is under way on them. */
  leave(): void {
    this.isLeaving = true;
    if (this.#net.listening) this.#net.close();
    for (const socket of this.#taken()) socket.destroy();
    this.#http2?.leave();
    this.#http1.closeIdleConnections();
    this.#endUnused();
  }

  /** The server whose connections it takes from the system. */
  get server(): NetServer {
    return this.#net;
  }

  #accept(socket: Socket): void {
    const settings = this.#settings;
    if (this.isLeaving) return void socket.destroy();
    if (settings === undefined) return this.#wait(socket);
    socket.on('error', () => socket.destroy());
    this.#deps.accepted(socket);
    const from = socket.remoteAddress ?? '';
    const { proxies } = settings;
    if (proxies === undefined) return this.#arrived(socket, from);
    // Fails closed: whoever may not speak for others has no business here, and what he says is not looked at.
    if (!this.#deps.isAmong(proxies, from)) return this.#cut(socket, 'no trusted proxy');
    const { proxyProtocol } = settings.options;
    const timeoutMs = typeof proxyProtocol === 'object' ? proxyProtocol.timeout : 3000;
    const waiting = { timeoutMs, onFault: (reason: string) => this.#refused(socket, reason) };
    readFirst(socket, sourceOf, waiting, (address) => this.#arrived(socket, address ?? from));
  }

  // Other workers listen on the port already, so that the primary sends connections here at once.
  #wait(socket: Socket): void {
    if (this.#early.size >= MOST_EARLY) return void socket.destroy();
    this.#early.add(socket);
    socket.once('error', () => socket.destroy()).once('close', () => this.#early.delete(socket));
  }

  #taken(): readonly Socket[] {
    const early = [...this.#early];
    this.#early.clear();
    return early;
  }

  #arrived(socket: Socket, peer: string): void {
    const settings = this.#settings as ListenerSettings;
    if (!this.#deps.admit(socket, peer, settings.options.limits.connectionsPerAddress)) return;
    const scheme = this.#tls === undefined ? 'http' : 'https';
    setConnection(socket, { listener: this, peer, scheme, certificate: undefined, requests: 0 });
    if (this.#tls !== undefined) return this.#tls.accept(socket);
    if (!speaksHttp2(settings)) return this.#hand(socket, 'http/1.1');
    const timeoutMs = settings.options.limits.headerTime;
    const waiting = { timeoutMs, onFault: () => {} };
    readFirst(socket, versionOf, waiting, (version) => this.#hand(socket, version));
  }

  #secured(socket: TLSSocket, connection: ClientConnection, settings: ListenerSettings): void {
    setConnection(socket, connection);
    socket.on('error', () => socket.destroy());
    this.#hand(socket, socket.alpnProtocol === 'h2' && speaksHttp2(settings) ? 'h2' : 'http/1.1');
  }

  #hand(socket: Socket, version: 'h2' | 'http/1.1'): void {
    this.#deps.taken(socket);
    if (version === 'h2') this.#http2?.accept(socket);
    else this.#http1.emit('connection', socket);
  }

  // Not before: until then it looks for heads that take too long.
  #endUnused(): void {
    if (this.isLeaving && this.#plain === 0) this.#http1.close();
  }

  #cut(socket: Socket, reason: string): void {
    this.#refused(socket, reason);
    socket.destroy();
  }

  #refused(socket: Socket, fault: string): void {
    const refused = { stage: 'listener', fault };
    this.#deps.logger.info({ client: socket.remoteAddress, cut: true, refused }, 'connection refused');
  }

  #createHttp1(): HttpServer {
    const main = this.#deps.main as UpgradingServer;
    const server = createServer(this.#deps.http) as UpgradingServer;
    server.keepAliveTimeout = this.#deps.keepAliveMs;
    for (const event of EVENTS) server.on(event, (...given: unknown[]) => main.emit(event, ...given));
    server.shouldUpgradeCallback = (request) => main.shouldUpgradeCallback(request);
    // It never listens itself; this is what has it look for heads that take too long.
    server.emit('listening');
    this.#deps.watch(server);
    server.on('connection', (socket: Socket) => {
      this.#plain += 1;
      socket.once('close', () => {
        this.#plain -= 1;
        this.#endUnused();
      });
    });
    return server;
  }

  #createHttp2({ options: { limits } }: ListenerSettings): Http2Front {
    return new Http2Front({
      main: this.#deps.main,
      headerTimeMs: limits.headerTime,
      keepAliveMs: this.#deps.keepAliveMs,
      concurrentStreams: limits.concurrentStreams,
      headBytes: this.#deps.http.maxHeaderSize ?? maxHeaderSize,
      onFlood: (socket, reason) => this.#refused(socket, `http2 ${reason}`),
    });
  }
}

function speaksHttp2({ options: { http2 }, tls }: ListenerSettings): boolean {
  return http2 ?? tls !== undefined;
}
