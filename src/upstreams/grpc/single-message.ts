import type { ByteCall, StreamSource } from './stream-run.ts';

/** The one message of a request that is answered by a stream. */
export class SingleMessage implements StreamSource {
  readonly replayable = true;
  readonly #message: Buffer;

  constructor(message: Buffer) {
    this.#message = message;
  }

  send(call: ByteCall, sent: () => void): void {
    call.write(this.#message);
    call.end();
    sent();
  }

  stop(): void {}
}
