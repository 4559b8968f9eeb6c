import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestGateway } from './gateway.ts';

/** What a gateway of this process holds for its clients. */
export class ServerSide {
  /** Most bytes that waited for one client at any time, as far as somebody looked. */
  mostUnsent = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #looks: NodeJS.Timeout;

  constructor({ gateway }: TestGateway) {
    this.#server = gateway.app.getHttpServer() as Server;
    this.#server.on('connection', this.#opened);
    this.#looks = setInterval(() => this.#look(), 1);
  }

  /** How many connections are open: each of them is a descriptor. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
    });
  }

  /** Waits until there are no more connections than a number, for as long as the test may take. */
  async untilAtMost(connections: number): Promise<void> {
    while ((await this.connections()) > connections) await sleep(20);
  }

  /** Stops looking. */
  close(): void {
    clearInterval(this.#looks);
    this.#server.off('connection', this.#opened);
  }

  readonly #opened = (socket: Socket): void => {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
  };

  #look(): void {
    for (const { writableLength } of this.#open) this.mostUnsent = Math.max(this.mostUnsent, writableLength);
  }
}
