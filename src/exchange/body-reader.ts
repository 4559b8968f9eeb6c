import { Readable } from 'node:stream';

/**
 * A request body as a stream of its own, read no faster than it is taken. Whoever gets it may destroy it: that ends the
 * reading, and leaves the connection of the client, on which an answer is still to be written, as it is.
 */
export abstract class BodyReader extends Readable {
  readonly #source: Readable;
  #isReading = false;

  constructor(source: Readable) {
    super();
    this.#source = source;
    // A client that leaves is no error of anybody; whoever minds has a listener as well.
    this.once('error', ignore);
  }

  /** Takes a piece, and hands on what there is with {@link hand}. */
  protected abstract taken(chunk: Buffer): void;

  /** Hands on what is left at the end. */
  protected abstract finish(): void;

  /** Gives a piece to the reader; the client waits while that one is behind. */
  protected hand(chunk: Buffer): void {
    if (!this.push(chunk)) this.#source.pause();
  }

  override _read(): void {
    if (this.#isReading) return void this.#source.resume();
    this.#isReading = true;
    this.#source.on('data', this.#take).once('end', this.#end).once('error', this.#fail);
    // Who has read its beginning, and put that back, has paused it.
    if (this.#source.isPaused()) this.#source.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#source.off('data', this.#take).off('end', this.#end);
    // The rest waits for the answer, which decides whether anybody reads it.
    if (this.#isReading && !this.#source.readableEnded) this.#source.pause();
    done(error);
  }

  readonly #take = (chunk: Buffer): void => this.taken(chunk);

  readonly #end = (): void => {
    this.finish();
    this.push(null);
  };

  readonly #fail = (error: Error): void => void this.destroy(error);
}

function ignore(): void {}
