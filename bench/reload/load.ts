import { Agent, request } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { STEADY_KEY } from './variants.ts';

const HEADERS = { 'x-api-key': STEADY_KEY };
const PATHS = ['/plain/a', '/test/items/one', '/composed', '/plain/slow', '/test/count/3'];
const SOCKET_LIVES_MS = 3000;

/** Clients that ask without a break, and what they got. */
export class Load {
  readonly faults = new Map<string, number>();
  requests = 0;
  messages = 0;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #origin: string;
  #isOver = false;
  #clients: readonly Promise<void>[] = [];

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Starts clients: of HTTP, and of WebSockets that stay for a few seconds each. */
  start(clients: number, sockets: number): void {
    this.#clients = [
      ...Array.from({ length: clients }, (_, index) => this.#ask(index)),
      ...Array.from({ length: sockets }, () => this.#talk()),
    ];
  }

  /** Ends them, each after its answer. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }

  async #ask(first: number): Promise<void> {
    for (let turn = first; !this.#isOver; turn += 1) {
      const path = PATHS[turn % PATHS.length] as string;
      const got = await this.#once(path);
      this.requests += 1;
      if (got !== 200) this.#note(`${path}: ${got}`);
      await sleep(5);
    }
  }

  #once(path: string): Promise<number | string> {
    return new Promise((resolve) => {
      const failed = ({ code, message }: NodeJS.ErrnoException): void => resolve(code ?? message);
      const outgoing = request(this.#origin + path, { agent: this.#agent, headers: HEADERS }, (incoming) => {
        incoming.resume().once('error', failed);
        incoming.once('end', () => resolve(incoming.statusCode ?? 0));
      });
      outgoing.once('error', failed).end();
    });
  }

  // Says something now and then; whatever is in force by now, it is answered.
  async #talk(): Promise<void> {
    while (!this.#isOver) {
      const socket = new WebSocket(`${this.#origin.replace('http', 'ws')}/test/chat/hi`, [], {
        headers: HEADERS,
      });
      let [sent, heard] = [0, 0];
      socket.on('message', () => (heard += 1)).on('error', ({ message }) => this.#note(`socket: ${message}`));
      await Promise.race([once(socket, 'open'), once(socket, 'close')]);
      const until = Date.now() + SOCKET_LIVES_MS;
      while (!this.#isOver && Date.now() < until && socket.readyState === socket.OPEN) {
        socket.send(`{"number":${(sent += 1)}}`);
        await sleep(100);
      }
      if (socket.readyState !== socket.OPEN) this.#note('socket: closed by the gateway');
      else socket.send('');
      await Promise.race([once(socket, 'close'), sleep(SOCKET_LIVES_MS)]);
      if (heard < sent) this.#note(`socket: ${sent - heard} of ${sent} messages not answered`);
      this.messages += heard;
    }
  }

  #note(what: string): void {
    this.faults.set(what, (this.faults.get(what) ?? 0) + 1);
  }
}
