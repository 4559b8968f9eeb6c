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
    // In order, as TCP is: of timers that are due within the same millisecond either may come first.
    const waiting: { readonly at: number; readonly act: () => void }[] = [];
    const release = (): void => {
      while (waiting[0] !== undefined && waiting[0].at <= performance.now()) waiting.shift()?.act();
      if (waiting[0] !== undefined) setTimeout(release, waiting[0].at - performance.now());
    };
    const later = (act: () => void): void => {
      const now = performance.now();
      const at = Math.max(waiting.at(-1)?.at ?? 0, now + delay());
      if (waiting.push({ at, act }) === 1) release();
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
