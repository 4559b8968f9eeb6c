import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';

/** WebSockets of a service, by the library that most services use. */
export interface SocketService extends EventEmitter {
  /** Those that are open, in the order in which they came. */
  readonly open: readonly WebSocket[];
  /** Their handshakes, the refused ones too. */
  readonly handshakes: readonly IncomingMessage[];
  /** Answers a handshake in place of the library; returns false for those that it may have. */
  refuse: (request: IncomingMessage, socket: Duplex) => boolean;
  /** Subprotocols that are chosen, if offered. */
  protocols: readonly string[];
  stop(): void;
}

/** Has a server echo the messages of its WebSockets. @param wait what handshakes wait for. */
export function echoSockets(
  server: Server,
  wait: () => Promise<void> | undefined = () => undefined,
  { perMessageDeflate = false, maxPayload = 2 ** 24 } = {},
): SocketService {
  const open: WebSocket[] = [];
  const handshakes: IncomingMessage[] = [];
  const refused: Duplex[] = [];
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload,
    perMessageDeflate: perMessageDeflate as false,
    autoPong: true,
    allowSynchronousEvents: true,
    closeTimeout: 1000,
    handleProtocols: (offered) => service.protocols.find((one) => offered.has(one)) ?? false,
  });
  const service = Object.assign(new EventEmitter(), {
    open,
    handshakes,
    refuse: () => false,
    protocols: [] as readonly string[],
    stop: () => {
      for (const one of open) one.terminate();
      for (const one of refused.splice(0)) one.destroy();
    },
  }) as unknown as SocketService;
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    handshakes.push(request);
    socket.on('error', () => undefined);
    if (service.refuse(request, socket)) return void refused.push(socket);
    sockets.handleUpgrade(request, socket, head, (one) => {
      open.push(one);
      one.on('error', () => undefined);
      one.once('close', () => void open.splice(open.indexOf(one), 1));
      one.on('message', (data, binary) => one.send(data, { binary }));
      service.emit('socket', one);
    });
  };
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const waiting = wait();
    if (waiting === undefined) upgrade(request, socket, head);
    else void waiting.then(() => upgrade(request, socket, head));
  });
  return service;
}
