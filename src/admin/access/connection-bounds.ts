import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { addressBlock } from '../../exchange/address-block.ts';

/** What strangers may hold of the operators' listener. */
export interface ConnectionBounds {
  /** Connections at a time. */
  readonly connections: number;
  /** Of those from one address of IPv4 or one /64 of IPv6. */
  readonly ofAnAddress: number;
  /** How long the head of a request may take, and of a connection that says nothing, in ms. */
  readonly headMs: number;
  /** How long a whole request may take to come, in ms. */
  readonly requestMs: number;
}

/** Far more than operators and their tools have, and too few to hurt. */
const BOUNDS: ConnectionBounds = { connections: 1000, ofAnAddress: 250, headMs: 10_000, requestMs: 30_000 };

/** Options of a server that takes connections of strangers; the times are looked at every two seconds. */
export const SERVER_OPTIONS = { connectionsCheckingInterval: 2000, handshakeTimeout: 10_000 } as const;

/** Bounds what strangers may hold of a server: connections, and the time that each takes to say what it wants. */
export function boundConnections(server: Server, bounds: ConnectionBounds = BOUNDS): void {
  server.maxConnections = bounds.connections;
  server.headersTimeout = bounds.headMs;
  server.requestTimeout = bounds.requestMs;
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const block = addressBlock(socket.remoteAddress ?? '');
    const count = (open.get(block) ?? 0) + 1;
    if (count > bounds.ofAnAddress) return void socket.destroy();
    open.set(block, count);
    socket.once('close', () => {
      const left = (open.get(block) ?? 1) - 1;
      if (left === 0) open.delete(block);
      else open.set(block, left);
    });
  });
}
