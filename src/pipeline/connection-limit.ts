import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { addressBlock } from '../exchange/address-block.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { formOfPeer } from '../exchange/address-form.ts';

/**
 * Bounds how many connections one address has open: each costs memory and a descriptor, also before it has said a word. One
 * too many is closed without an answer, before anything of it is read. Proxies that are trusted speak for many, and are not
 * counted. Counted in this process; a limit that is lowered by a reload closes nobody's connection.
 */
export class ConnectionLimit {
  readonly #snapshots: Snapshots;
  readonly #metrics: Metrics;
  /** By address, or by the block of addresses that one subscriber has. */
  readonly #open = new Map<string, number>();

  constructor(snapshots: Snapshots, metrics: Metrics) {
    this.#snapshots = snapshots;
    this.#metrics = metrics;
  }

  /** Watches the connections of a server from now on. */
  watch(server: Server): void {
    server.prependListener('connection', (socket: Socket) => {
      this.admit(socket, socket.remoteAddress ?? '', undefined);
    });
  }

  /**
   * Counts a connection.
   *
   * @param address of the client, or of the proxy that stands before us.
   * @param ofListener what the listener allows one address; undefined for no limit of its own.
   * @returns whether it may stay; one that may not was closed.
   */
  admit(socket: Socket, address: string, ofListener: number | undefined): boolean {
    const { connections, clientAddress } = this.#snapshots.current.edge;
    const perAddress = Math.min(connections?.perAddress ?? Infinity, ofListener ?? Infinity);
    // Nobody is counted where there is no limit: after a reload that sets one, those that were there before are not.
    if (perAddress === Infinity) return true;
    const peer = formOfPeer(address);
    if (clientAddress.isTrusted(peer)) return true;
    const block = addressBlock(peer);
    const open = this.#open.get(block) ?? 0;
    if (open >= perAddress) {
      this.#metrics.connectionRefused();
      this.denied(peer, 'connectionLimit', 'rate-limited');
      socket.destroy();
      return false;
    }
    this.#open.set(block, open + 1);
    socket.once('close', () => this.#left(block));
    return true;
  }

  /** Takes note of a connection that was not let in. */
  denied(address: string, policy: 'connectionLimit' | 'clientCertificates', reason: string): void {
    this.#snapshots.current.audit?.record({
      kind: 'denial',
      action: 'connect',
      outcome: 'denied',
      actor: { type: 'anonymous' },
      source: { address },
      policy,
      reason,
    });
  }

  #left(block: string): void {
    const open = (this.#open.get(block) ?? 1) - 1;
    if (open === 0) this.#open.delete(block);
    else this.#open.set(block, open);
  }
}
