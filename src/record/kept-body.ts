import type { IncomingMessage } from 'node:http';
import { toldJson } from '../telemetry/told-values.ts';
import type { RecordedExchange } from './sample-format.ts';

type Told = Pick<RecordedExchange, 'body' | 'bodyLeft'>;

/** The body of a request as it passes, up to a size. Nobody is kept from reading it, and nobody reads more for it. */
export class KeptBody {
  readonly #most: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isWhole = false;

  constructor(request: IncomingMessage, most: number) {
    this.#most = most;
    const push = request.push.bind(request);
    // Whoever parses hands each piece over here, whether somebody reads as it flows, in pieces, or not at all.
    request.push = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
      this.#take(chunk);
      return push(chunk, encoding);
    };
  }

  #take(chunk: Buffer | null): void {
    if (chunk === null) {
      this.#isWhole = true;
      return;
    }
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#most) this.#chunks.push(chunk);
    else this.#chunks = [];
  }

  /** The body if it is JSON, which secrets can be taken out of; why it is not kept otherwise. */
  told(): Told {
    if (this.#bytes === 0) return {};
    if (this.#bytes > this.#most) return { bodyLeft: 'too large' };
    if (!this.#isWhole) return { bodyLeft: 'cut' };
    const body = jsonWithoutSecrets(Buffer.concat(this.#chunks));
    return body === undefined ? { bodyLeft: 'no JSON' } : { body };
  }
}

/** A body of JSON without what may be a secret; undefined for what is no JSON, which fails closed: nobody knows where secrets stand in it. */
export function jsonWithoutSecrets(body: Buffer): string | undefined {
  try {
    return JSON.stringify(toldJson(JSON.parse(body.toString())));
  } catch {
    return undefined;
  }
}
