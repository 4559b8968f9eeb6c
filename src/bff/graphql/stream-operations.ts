import { GraphQLError } from 'graphql';
import { watchEnd } from './event-stream.ts';
import { refusedErrors } from './graphql-answer.ts';
import { requestOf, type GraphqlRequest } from './graphql-request.ts';
import type { OperationRunner, Started } from './operation-runner.ts';
import type { Asking } from './stream-request.ts';
import type { StreamReservations } from './stream-reservations.ts';

/** Starts the operations of streams: each in the exchange that it lives in, a bounded number at once on one stream. */
export class StreamOperations {
  readonly #runner: OperationRunner;
  readonly #reservations: StreamReservations;
  readonly #perStream: number;

  constructor(runner: OperationRunner, reservations: StreamReservations, perStream: number) {
    this.#runner = runner;
    this.#reservations = reservations;
    this.#perStream = perStream;
  }

  /**
   * Starts an operation of which the library has read the parameters.
   *
   * @param readsOnly refuses mutations: for requests by GET, which others can cause.
   * @returns what the library sends: an answer with data, or a stream of answers.
   */
  async start(
    asking: Asking,
    params: Parameters<typeof requestOf>[0],
    readsOnly: boolean,
  ): Promise<Started | AsyncGenerator<Started>> {
    const { documentId, variables = params.variables } = asking.fields ?? {};
    const asked = requestOf({ ...params, documentId, variables: variables as typeof params.variables });
    const started =
      typeof asked === 'string'
        ? { errors: refusedErrors([new GraphQLError(asked)], false) }
        : await this.#run(asking, asked, readsOnly);
    // The library only knows an answer by its data; one that has none is told as a stream of one answer.
    return Symbol.asyncIterator in started || 'data' in started ? started : only(started);
  }

  async #run({ exchange, token }: Asking, asked: GraphqlRequest, readsOnly: boolean): Promise<Started> {
    const stream = this.#reservations.find(token);
    // Its request has met the stages of the route.
    const how = { readsOnly, charged: true };
    if (stream === undefined) return this.#runner.start(asked, exchange, how);
    if (stream.operations >= this.#perStream) {
      const message = `At most ${this.#perStream} operations run at once on one stream.`;
      return { errors: [{ message, extensions: { code: 'rate-limited' } } as never] };
    }
    stream.operations += 1;
    // Lives as long as the stream, not as long as the request that asked for it.
    const started = await this.#runner.start(asked, stream.exchange, how);
    if (Symbol.asyncIterator in started) watchEnd(started, () => (stream.operations -= 1));
    else stream.operations -= 1;
    return started;
  }
}

async function* only<Answer>(answer: Answer): AsyncGenerator<Answer> {
  yield await Promise.resolve(answer);
}
