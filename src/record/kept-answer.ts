import type { ServerResponse } from 'node:http';
import { jsonWithoutSecrets } from './kept-body.ts';
import type { RecordedExchange } from './sample-format.ts';

type Told = Pick<RecordedExchange, 'answer' | 'answerLeft'>;
type Write = (chunk: unknown, encoding?: unknown, done?: unknown) => boolean;
type End = (chunk?: unknown, encoding?: unknown, done?: unknown) => ServerResponse;

/** The body of an answer as it is written, up to a size. It is written all the same. */
export class KeptAnswer {
  readonly #response: ServerResponse;
  readonly #most: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(response: ServerResponse, most: number) {
    this.#response = response;
    this.#most = most;
    const write = response.write.bind(response) as Write;
    const end = response.end.bind(response) as End;
    // Whoever writes in another way sees that these are not those of the class (`one-write.ts`), and goes by them.
    response.write = ((chunk: unknown, encoding?: unknown, done?: unknown) => {
      this.#take(chunk, encoding);
      return write(chunk, encoding, done);
    }) as ServerResponse['write'];
    response.end = ((chunk?: unknown, encoding?: unknown, done?: unknown) => {
      this.#take(chunk, encoding);
      return end(chunk, encoding, done);
    }) as ServerResponse['end'];
  }

  #take(chunk: unknown, encoding: unknown): void {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return;
    const bytes =
      typeof chunk === 'string'
        ? Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
        : Buffer.from(chunk);
    this.#bytes += bytes.length;
    if (this.#bytes <= this.#most) this.#chunks.push(bytes);
    else this.#chunks = [];
  }

  /** The body if it is JSON, which secrets can be taken out of; why it is not kept otherwise. */
  told(): Told {
    if (this.#bytes === 0) return {};
    if (this.#bytes > this.#most) return { answerLeft: 'too large' };
    if (!this.#response.writableFinished) return { answerLeft: 'cut' };
    const answer = jsonWithoutSecrets(Buffer.concat(this.#chunks));
    return answer === undefined ? { answerLeft: 'no JSON' } : { answer };
  }
}
