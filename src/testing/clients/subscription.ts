import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { TestingError } from '../testing-error.ts';
import type { GraphqlResult } from './graphql-result.ts';
import { inTime } from './mailbox.ts';

/** What is subscribed to. */
export interface Subscribing {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

type Drive = <Result>(work: Promise<Result>) => Promise<Result>;

/** Results of a GraphQL subscription over WebSocket (graphql-transport-ws), read one by one. */
export class Subscription<Data> {
  readonly #client: Client;
  readonly #results: AsyncIterableIterator<unknown>;
  readonly #drive: Drive;

  /** Subscribes at the first {@link next}. */
  constructor({ url, headers, query, variables }: Subscribing, drive: Drive) {
    class WithHeaders extends WebSocket {
      constructor(address: string, protocols: string) {
        super(address, protocols, { headers });
      }
    }
    this.#drive = drive;
    this.#client = createClient({ url, webSocketImpl: WithHeaders, retryAttempts: 0 });
    this.#results = this.#client.iterate({ query, variables: { ...variables } });
  }

  /**
   * The next result; undefined where the subscription has ended.
   *
   * @throws {TestingError} when it is refused, and when none comes for 5 s.
   */
  async next(): Promise<GraphqlResult<Data> | undefined> {
    const coming = this.#results.next().catch((error: unknown) => {
      throw new TestingError(`the subscription was refused: ${textOf(error)}`, { cause: error });
    });
    const { done, value } = await inTime(this.#drive(coming), 'the next result of the subscription');
    return done === true ? undefined : (value as GraphqlResult<Data>);
  }

  /** Ends it. */
  async close(): Promise<void> {
    await this.#drive(Promise.resolve(this.#results.return?.()));
    await this.#client.dispose();
  }
}

// What is refused comes as a list of errors, or as the event that ends the socket.
function textOf(error: unknown): string {
  if (Error.isError(error)) return error.message;
  const { code, reason } = error as { readonly code?: unknown; readonly reason?: unknown };
  return code === undefined ? JSON.stringify(error) : `${String(code)} ${String(reason)}`;
}
