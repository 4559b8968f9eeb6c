import { afterEach, describe, expect, it } from '@jest/globals';
import {
  cacheExchange,
  Client,
  fetchExchange,
  gql,
  makeOperation,
  mapExchange,
  subscriptionExchange,
  type DocumentInput,
  type Exchange,
  type OperationResult,
  type SubscriptionForwarder,
} from '@urql/core';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { NotesModule } from '../support/notes.module.ts';
import { notifyUntil } from '../support/notifications.ts';
import { API_KEY, useShop } from '../support/shop.ts';

const TRUSTED = 'query Trusted { longestNote }';
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-trusted-'));
writeFileSync(join(folder, 'trusted.graphql'), TRUSTED);
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const calm = { circuitBreaker: 'off', retry: { attempts: 1 } };
const holder = useShop({
  modules: [NotesModule],
  upstreams: (services) => ({
    users: { targets: [services['users-1'].url], ...calm },
    feed: { targets: [services.feed.url], ...calm },
  }),
  more: { graphql: { trustedDocuments: { path: folder } } },
});
const HOMEPAGE = gql`
  query Homepage {
    homepage {
      user {
        id
        name
      }
      feed {
        items {
          id
        }
      }
    }
  }
`;
const ADDED = gql`
  subscription Added {
    notificationAdded {
      __typename
      id
      text
    }
  }
`;

const ending: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(ending.splice(0).map((end) => end()));
  await Promise.all(
    [holder.shop.services['users-1'], holder.shop.services.feed].map((service) => service.fault('none')),
  );
});

const address = (): string => `${holder.shop.gateway.url}/graphql`;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** One request, as it left the client. */
interface Sent {
  readonly method: string;
  readonly url: string;
  readonly accept: string | null;
  readonly answer: Headers;
}

interface UrqlOptions {
  readonly exchanges?: Exchange[];
  readonly preferGetMethod?: boolean | 'force';
  readonly fetchSubscriptions?: boolean;
}

/** A client as an application would set it up; `sent` records its requests. */
async function urql(options: UrqlOptions = {}, sent: Sent[] = []): Promise<Client> {
  const authorization = `Bearer ${await holder.shop.services.identity.token('user')}`;
  return new Client({
    url: address(),
    exchanges: [cacheExchange, fetchExchange],
    preferGetMethod: false,
    fetchOptions: { headers: { authorization } },
    fetch: async (url, init = {}) => {
      const response = await fetch(url, init);
      const { method = 'GET' } = init;
      const accept = new Headers(init.headers).get('accept');
      sent.push({ method, url: String(url), accept, answer: response.headers });
      return response;
    },
    ...options,
  });
}

/** Subscribes until a notification has arrived, and returns it. */
async function firstNotification(client: Client, id: string): Promise<OperationResult> {
  const heard: OperationResult[] = [];
  const { unsubscribe } = client.subscription(ADDED, {}).subscribe((result) => heard.push(result));
  await notifyUntil(holder.shop, '2', { id, text: 'for Bob' }, () => heard.length > 0);
  unsubscribe();
  return heard[0] as OperationResult;
}

const query = <Data>(client: Client, document: DocumentInput<Data>): Promise<OperationResult<Data>> =>
  client.query(document, {} as never, { requestPolicy: 'network-only' }).toPromise();

describe('urql', () => {
  it('reads the page, and asks for it with all the types that it can read', async () => {
    const sent: Sent[] = [];
    const client = await urql({}, sent);
    const { data, error } = await query(client, HOMEPAGE);
    expect(error).toBeUndefined();
    expect(data).toMatchObject({
      homepage: { user: { __typename: 'User', id: '2', name: 'Bob User' }, feed: { __typename: 'Feed' } },
    });
    expect(sent[0]?.accept).toContain('text/event-stream');
    expect(sent[0]?.answer.get('content-type')).toContain('application/graphql-response+json');
  });

  it('answers from its cache what it has', async () => {
    const sent: Sent[] = [];
    const client = await urql({}, sent);
    const first = await client.query(HOMEPAGE, {}).toPromise();
    const again = await client.query(HOMEPAGE, {}).toPromise();
    expect([first.error, again.data, sent.length]).toEqual([undefined, first.data, 1]);
  });

  it('sends a query by GET from no site of its own, and is not taken for a foreign page', async () => {
    const sent: Sent[] = [];
    const client = await urql({ preferGetMethod: 'force' }, sent);
    expect((await query(client, HOMEPAGE)).error).toBeUndefined();
    expect(sent[0]).toMatchObject({ method: 'GET', url: expect.stringContaining('?query=') });
  });

  it('sends a mutation by POST whatever it prefers, and gets expected errors as data', async () => {
    const sent: Sent[] = [];
    const client = await urql({ preferGetMethod: 'force' }, sent);
    const note = gql`
      mutation AddNote($note: NoteInput!) {
        addNote(note: $note) {
          ... on Notification {
            text
          }
          ... on TextTooLong {
            max
          }
        }
      }
    `;
    const add = async (text: string): Promise<unknown> =>
      (await client.mutation(note, { note: { text } }).toPromise()).data;
    expect(await add('Buy milk')).toEqual({ addNote: { __typename: 'Notification', text: 'Buy milk' } });
    expect(await add('Write a very long letter')).toEqual({
      addNote: { __typename: 'TextTooLong', max: 20 },
    });
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'POST']);
  });

  it('shows codes of errors, and sections that fell back', async () => {
    const client = await urql();
    await holder.shop.services.feed.fault('dead');
    const degraded = await query(client, HOMEPAGE);
    expect([degraded.error, degraded.data, degraded.extensions]).toMatchObject([
      undefined,
      { homepage: { user: { name: 'Bob User' }, feed: { items: [] } } },
      { degraded: [{ section: 'feed', code: 'upstream-unreachable', path: ['homepage', 'feed'] }] },
    ]);
    await holder.shop.services['users-1'].fault('dead');
    const { data, error } = await query(client, HOMEPAGE);
    expect(data).toEqual({ homepage: null });
    expect(error?.graphQLErrors).toMatchObject([
      { path: ['homepage', 'user'], extensions: { code: 'upstream-unreachable', retryable: true } },
    ]);
  });

  it('is told what is wrong with a document', async () => {
    const { error } = await query(await urql(), '{ homepage { user { nam } } }');
    expect(error?.graphQLErrors).toMatchObject([
      { message: expect.stringContaining('Did you mean "name"'), extensions: { code: 'request-invalid' } },
    ]);
  });

  it('sends the hash of a document it knows to be known, by GET', async () => {
    const known = 'query Known { longestNote }';
    const persisted = mapExchange({
      onOperation: (operation) =>
        makeOperation(operation.kind, {
          ...operation,
          extensions: { persistedQuery: { version: 1, sha256Hash: sha256(known) } },
        }),
    });
    const headers = { 'content-type': 'application/json', 'x-api-key': API_KEY };
    const extensions = { persistedQuery: { version: 1, sha256Hash: sha256(known) } };
    await fetch(address(), { method: 'POST', headers, body: JSON.stringify({ query: known, extensions }) });
    const sent: Sent[] = [];
    const client = await urql({ preferGetMethod: 'force', exchanges: [persisted, fetchExchange] }, sent);
    const { data, error } = await query(client, known);
    expect([error, data]).toEqual([undefined, { longestNote: 20 }]);
    expect(sent.map(({ method, url }) => [method, url.includes('query=')])).toEqual([['GET', false]]);
  });

  it('runs a checked-in document by its id, by GET, and may keep the answer', async () => {
    const checkedIn = mapExchange({
      onOperation: ({ query, ...operation }) =>
        makeOperation(operation.kind, {
          ...operation,
          query: { ...query, definitions: [], documentId: `sha256:${sha256(TRUSTED)}` } as typeof query,
        }),
    });
    const sent: Sent[] = [];
    const client = await urql({ preferGetMethod: 'force', exchanges: [checkedIn, fetchExchange] }, sent);
    const { data, error } = await query(client, TRUSTED);
    expect([error, data]).toEqual([undefined, { longestNote: 20 }]);
    expect([...new URL(sent[0]?.url ?? '').searchParams.keys()]).not.toContain('query');
    expect(sent[0]?.answer.get('cache-control')).toBe('private, max-age=60');
  });
});

describe('a subscription of urql', () => {
  const note = { __typename: 'Notification', text: 'for Bob' };

  it('works over its own Server-Sent Events', async () => {
    const sent: Sent[] = [];
    const client = await urql({ fetchSubscriptions: true }, sent);
    const { data, error } = await firstNotification(client, 'fetched');
    expect([error, data]).toEqual([undefined, { notificationAdded: { ...note, id: 'fetched' } }]);
    expect(sent[0]).toMatchObject({ method: 'POST', accept: 'text/event-stream, multipart/mixed' });
    expect(sent[0]?.answer.get('content-type')).toContain('text/event-stream');
  });

  it.each([true, false])('works over graphql-sse; a single connection: %p', async (singleConnection) => {
    const authorization = `Bearer ${await holder.shop.services.identity.token('user')}`;
    const sse = createSseClient({
      url: address(),
      headers: { authorization },
      singleConnection,
      retryAttempts: 0,
    });
    ending.push(() => sse.dispose());
    const forwardSubscription: SubscriptionForwarder = (operation) => ({
      subscribe: (sink) => ({ unsubscribe: sse.subscribe(operation as never, sink as never) }),
    });
    const client = await urql({ exchanges: [cacheExchange, subscriptionExchange({ forwardSubscription })] });
    const heard = await firstNotification(client, 'sse');
    expect([heard.error, heard.data]).toEqual([undefined, { notificationAdded: { ...note, id: 'sse' } }]);
  });

  it('works over WebSocket, where queries and mutations may go too', async () => {
    const authorization = `Bearer ${await holder.shop.services.identity.token('user')}`;
    const socket = createSocketClient({
      url: address().replace('http', 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: { authorization },
      retryAttempts: 0,
    });
    ending.push(() => socket.dispose());
    const forwardSubscription: SubscriptionForwarder = ({ query = '', variables }) => ({
      subscribe: (sink) => ({
        unsubscribe: socket.subscribe({ query, variables: variables ?? {} }, sink as never),
      }),
    });
    const everything = subscriptionExchange({ forwardSubscription, enableAllOperations: true });
    const client = await urql({ exchanges: [cacheExchange, everything] });
    const { data } = await firstNotification(client, 'socket');
    expect(data).toEqual({ notificationAdded: { ...note, id: 'socket' } });
    expect((await query(client, HOMEPAGE)).data).toMatchObject({ homepage: { user: { name: 'Bob User' } } });
  });

  it('that may not be is an error, not a silence', async () => {
    const client = await urql({ fetchSubscriptions: true });
    const document = gql`
      subscription {
        notificationAdded {
          colour
        }
      }
    `;
    const { error } = await client.subscription(document, {}).toPromise();
    expect(error?.graphQLErrors).toMatchObject([
      { message: expect.stringContaining('colour'), extensions: { code: 'request-invalid' } },
    ]);
  });
});
