import type { Socket } from 'node:net';

/** Who has a connection that has switched to another protocol. */
export interface UpgradedUser {
  /** Takes bytes; they are only valid until it returns. */
  take(bytes: Buffer): void;
  /** Hears that the other side says nothing more; once, also right before {@link closed}. */
  ended(): void;
  /** Hears of the end of both directions, once. */
  closed(): void;
}

/** A connection that has left HTTP, and its pool with it: bytes both ways, and nobody but its user closes it. */
export class UpgradedSocket {
  /** To write to, and to be paused. It is read by its user alone. */
  readonly socket: Socket;
  #user: UpgradedUser | undefined = undefined;
  #hasEnded = false;
  /** What has come together with the answer. */
  #first: Buffer | undefined;

  constructor(socket: Socket, first: Buffer) {
    this.socket = socket;
    this.#first = first.length === 0 ? undefined : Buffer.from(first);
    socket.once('end', () => this.#end());
  }

  /** Gives it to its user, who hears at once what has come already. To be called once, when it is handed over. */
  use(user: UpgradedUser): void {
    this.#user = user;
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) user.take(first);
  }

  /** Takes what its socket brings; only the connection calls it. */
  take(bytes: Buffer): void {
    this.#user?.take(bytes);
  }

  /** Hears that its socket is closed; only the connection calls it. */
  closed(): void {
    this.#end();
    this.#user?.closed();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#user?.ended();
  }
}
