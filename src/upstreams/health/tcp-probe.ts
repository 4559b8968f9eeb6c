import { httpFault } from '../http/http-faults.ts';
import { openSocket, type SocketOptions } from '../transport/socket.ts';
import { bad, GOOD, type Probe, type ProbeDone } from './probe.ts';

/** Asks by opening a connection, over TLS where the target has it; nothing is said over it. */
export class TcpProbe implements Probe {
  readonly #options: SocketOptions;

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  ask(done: ProbeDone): () => void {
    const socket = openSocket(this.#options, {
      connected: () => {
        socket.destroy();
        done(GOOD);
      },
      take: () => undefined,
      closed: (_isComplete, error) => done(bad(httpFault(error).outcome)),
    });
    return () => void socket.destroy();
  }

  renew(): void {}

  close(): void {}
}
