import type { WebSocket } from 'ws';
import type { EndStream } from './byte-end.ts';
import { LatestOnly } from './latest-only.ts';
import { ReadingPace } from './reading-pace.ts';

/** How much may wait for a client that reads slowly, in bytes; from there on nobody listens to it. */
export const MOST_UNSENT_BYTES = 256 * 1024;

/** Whom a client waits for: itself, because it does not read, or the target, because that does not; or it says too much. */
export type HeldBy = 'client' | 'target' | 'pace';

/**
 * Both directions of one socket, at the pace of the slower: what a client says is read only while it reads what it is
 * told, and while the target takes what it says. Standstill on either side is told once, when it has lasted too long.
 */
export class SocketFlow {
  readonly #socket: WebSocket;
  readonly #raw: EndStream;
  readonly #stalledMs: number;
  readonly #onStalled: (by: HeldBy) => void;
  readonly #pongs: LatestOnly<Buffer>;
  readonly #heldBy = new Set<HeldBy>();
  readonly #pace = new ReadingPace(
    () => this.hold('pace'),
    () => this.release('pace'),
  );
  #targetClock: NodeJS.Timeout | undefined = undefined;
  #onRoom: (() => void) | undefined = undefined;

  /**
   * @param raw the connection below the socket.
   * @param stalledMs how long either side may stand still.
   */
  constructor(socket: WebSocket, raw: EndStream, stalledMs: number, onStalled: (by: HeldBy) => void) {
    this.#socket = socket;
    this.#raw = raw;
    this.#stalledMs = stalledMs;
    this.#onStalled = onStalled;
    this.#pongs = new LatestOnly((payload, written) => {
      if (!this.#isOpen) return written();
      socket.pong(payload, false, written);
    });
    socket.on('ping', (payload) => {
      this.heard(payload.length);
      // A copy: what comes is a view of the whole chunk that it came in, and may have to wait.
      this.#pongs.offer(Buffer.from(payload));
    });
    raw.on('timeout', () => this.#heldBy.has('client') && onStalled('client'));
  }

  /** Whether the client is not read because of somebody. */
  isHeld(by: HeldBy): boolean {
    return this.#heldBy.has(by);
  }

  /** Counts a message that nothing else limits; who says too many is read on later. */
  heard(bytes: number): void {
    this.#pace.heard(bytes);
  }

  /**
   * Sends a message; `sent` is called when it is out, or never will be.
   *
   * @returns false when enough waits for the client: `onRoom` tells when to go on.
   */
  send(data: string | Buffer, binary = false, sent?: () => void): boolean {
    if (!this.#isOpen) {
      sent?.();
      return true;
    }
    this.#socket.send(data, { binary }, () => {
      this.#moved();
      sent?.();
    });
    if (this.#socket.bufferedAmount > MOST_UNSENT_BYTES) this.hold('client');
    // What goes to the client shows that the target is alive.
    this.#targetClock?.refresh();
    return this.#socket.bufferedAmount < MOST_UNSENT_BYTES;
  }

  /** Calls back once when the client has read most of what waited for it. */
  onRoom(resume: () => void): void {
    this.#onRoom = resume;
  }

  /** Stops reading the client. */
  hold(by: HeldBy): void {
    if (this.#heldBy.has(by) || !this.#isOpen) return;
    this.#heldBy.add(by);
    this.#socket.pause();
    // The clock of the connection is kept from going off by every byte that the client takes.
    if (by === 'client') this.#raw.setTimeout(this.#stalledMs);
    if (by === 'target') this.#targetClock = setTimeout(() => this.#onStalled('target'), this.#stalledMs);
  }

  /** Reads the client again, unless it waits for somebody else too. */
  release(by: HeldBy): void {
    if (!this.#heldBy.delete(by)) return;
    if (by === 'client') this.#raw.setTimeout(0);
    if (by === 'target') this.#stopClock();
    if (this.#heldBy.size === 0) this.#socket.resume();
  }

  /** Reads what still comes: there is nobody left to be slower. Ends the clocks. */
  end(): void {
    this.#heldBy.clear();
    this.#pace.end();
    this.#raw.setTimeout(0);
    this.#stopClock();
    this.#socket.resume();
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  #stopClock(): void {
    clearTimeout(this.#targetClock);
    this.#targetClock = undefined;
  }

  #moved(): void {
    if (this.#socket.bufferedAmount > MOST_UNSENT_BYTES / 2) return;
    this.release('client');
    const resume = this.#onRoom;
    this.#onRoom = undefined;
    resume?.();
  }
}
