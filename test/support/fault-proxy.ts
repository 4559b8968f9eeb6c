import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands between a client and a server, and makes the way between them bad. */
export class FaultProxy {
  /** How much later the client hears what the server says, in ms. */
  delayMs = 0;
  /** Whether nothing gets through any more, in any direction, and nobody is told: a cable that is pulled. */
  isDeaf = false;
  readonly #target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(target: number) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  async start(port = 0): Promise<this> {
    await once(this.#server.listen(port, '127.0.0.1'), 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets all connections. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1');
    this.#carry(client, server, () => 0);
    this.#carry(server, client, () => this.delayMs);
  }

  #carry(from: Socket, to: Socket, delay: () => number): void {
    this.#sockets.add(from);
    let last = 0;
    const later = (act: () => void): void => {
      const at = Math.max(last, performance.now() + delay());
      last = at;
      const wait = at - performance.now();
      if (wait <= 0) act();
      else setTimeout(act, wait);
    };
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      if (!this.isDeaf) later(() => to.writable && to.write(chunk));
    });
    from.on('error', () => to.resetAndDestroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      if (!this.isDeaf) later(() => to.end());
    });
  }
}
