import { Injectable } from '@nestjs/common';
import type { Exchange } from '../exchange/exchange.ts';
import { Recording, type RecordingOptions } from './recording.ts';

/** Keeps at most one recording. While there is none, an exchange costs the look at one field. */
@Injectable()
export class Recorder {
  #current: Recording | undefined = undefined;

  /** Whether somebody records. */
  get isOn(): boolean {
    return this.#current !== undefined;
  }

  /** Begins; undefined while there is another one. */
  begin(options: RecordingOptions): Recording | undefined {
    if (this.#current !== undefined) return undefined;
    const recording = new Recording(options, () => (this.#current = undefined));
    this.#current = recording;
    return recording;
  }

  /** Hears of an exchange that has just been opened. */
  opened(exchange: Exchange): void {
    this.#current?.opened(exchange);
  }
}
