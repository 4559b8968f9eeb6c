import {
  ApolloClient,
  ApolloLink,
  gql,
  HttpLink,
  InMemoryCache,
  type OperationVariables,
} from '@apollo/client';
import { CombinedGraphQLErrors, ServerError } from '@apollo/client/errors';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createClient, type Client } from 'graphql-ws';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { tap } from 'rxjs';
import { WebSocket } from 'ws';
import type { TokenUser } from '../../examples/services/identity.ts';
import { NotesModule } from '../support/notes.module.ts';
import { notifyUntil } from '../support/notifications.ts';
import { useShop } from '../support/shop.ts';

const calm = { circuitBreaker: 'off', retry: { attempts: 1 } };
const holder = useShop({
  modules: [NotesModule],
  upstreams: (services) => ({
    users: { targets: [services['users-1'].url], ...calm },
    feed: { targets: [services.feed.url], ...calm },
  }),
});
const HOMEPAGE = gql`
  query Homepage {
    homepage {
      user {
        id
        name
        tier
      }
      feed {
        items {
          id
          title
          authorId
        }
      }
      notifications {
        unread
        latest {
          id
          text
        }
      }
    }
  }
`;
const NOTE = gql`
  mutation AddNote($note: NoteInput!) {
    addNote(note: $note) {
      ... on Notification {
        id
        text
      }
      ... on TextTooLong {
        max
      }
    }
  }
`;
const PLACE_ORDER = gql`
  mutation PlaceOrder($input: PlaceOrderInput!) {
    placeOrder(input: $input) {
      ... on Order {
        id
        status
        totalCents
      }
      ... on ExpectedError {
        code
      }
      ... on InvalidOrder {
        faults {
          pointer
        }
      }
    }
  }
`;
const ADDED = gql`
  subscription Added {
    notificationAdded {
      id
      text
    }
  }
`;

interface Page {
  readonly homepage: {
    readonly user: { readonly id: string; readonly name: string };
    readonly feed: { readonly items: readonly { readonly id: string; readonly title: string }[] };
    readonly notifications: { readonly unread: number };
  };
}

/** What went over the wire, as the gateway saw it. */
interface Sent {
  readonly method: string;
  readonly url: string;
  readonly body: string;
}

const sockets: Client[] = [];
afterEach(async () => {
  await Promise.all(sockets.splice(0).map((socket) => socket.dispose()));
  await Promise.all(
    [holder.shop.services['users-1'], holder.shop.services.feed].map((service) => service.fault('none')),
  );
});

const address = (): string => `${holder.shop.gateway.url}/graphql`;

async function authorizationOf(user: TokenUser): Promise<string> {
  return `Bearer ${await holder.shop.services.identity.token(user)}`;
}

/** A client as an application would set it up; `sent` records its requests. */
async function apollo(
  { user = 'user', before = [] }: { user?: TokenUser; before?: ApolloLink[] } = {},
  sent: Sent[] = [],
): Promise<ApolloClient> {
  const authorization = await authorizationOf(user);
  const socket = createClient({
    url: address().replace('http', 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
    retryAttempts: 0,
  });
  sockets.push(socket);
  const http = new HttpLink({
    uri: address(),
    headers: { authorization },
    fetch: (url, options = {}) => {
      sent.push({ method: options.method ?? 'GET', url: String(url), body: String(options.body ?? '') });
      return fetch(url, options);
    },
  });
  return new ApolloClient({
    // What a generator reads from config/schema.graphql; fragments on interfaces need it.
    cache: new InMemoryCache({ possibleTypes: { ExpectedError: ['InvalidOrder', 'OutOfStock'] } }),
    link: ApolloLink.from([
      ...before,
      ApolloLink.split(
        ({ operationType }) => operationType === 'subscription',
        new GraphQLWsLink(socket),
        http,
      ),
    ]),
  });
}

/** A page with nothing missing; a gRPC channel takes a moment to find its target. */
async function wholePage(client: ApolloClient): Promise<Page> {
  for (;;) {
    const { data } = await client.query<Page>({ query: HOMEPAGE, fetchPolicy: 'network-only' });
    if (data !== undefined && data.homepage.notifications.unread > 0) return data;
  }
}

async function refusal(run: Promise<unknown>): Promise<unknown> {
  try {
    await run;
  } catch (error) {
    return error;
  }
  throw new Error('it was not refused');
}

describe('Apollo Client', () => {
  it('keeps the page by type and id, and reads it from there', async () => {
    const sent: Sent[] = [];
    const client = await apollo({}, sent);
    const page = await wholePage(client);
    expect(page.homepage.user).toMatchObject({ __typename: 'User', id: '2', name: 'Bob User' });
    const first = page.homepage.feed.items[0];
    expect(client.cache.extract()).toMatchObject({
      'User:2': { name: 'Bob User', tier: 'pro' },
      [`FeedItem:${first?.id}`]: { title: first?.title },
      'Notification:ntf-2-7': { text: 'Your order was shipped' },
    });
    const requests = sent.length;
    const fragment = gql`
      fragment Name on User {
        name
      }
    `;
    expect(client.readFragment({ id: 'User:2', fragment })).toEqual({ __typename: 'User', name: 'Bob User' });
    const again = await client.query<Page>({ query: HOMEPAGE });
    expect(again.data).toEqual(page);
    expect(sent).toHaveLength(requests);
  });

  it('sends variables, and gets expected errors as data', async () => {
    const client = await apollo();
    const add = (text: string) => client.mutate({ mutation: NOTE, variables: { note: { text } } });
    expect((await add('Buy milk')).data).toEqual({
      addNote: { __typename: 'Notification', id: expect.stringMatching(/^note-/), text: 'Buy milk' },
    });
    expect((await add('Write a very long letter')).data).toEqual({
      addNote: { __typename: 'TextTooLong', max: 20 },
    });
  });

  it('places an order, and finds it in the cache; or is told what to mend', async () => {
    const client = await apollo();
    const place = async (quantity: number): Promise<Record<string, unknown>> => {
      const variables = { input: { items: [{ sku: 'BOOK-1', quantity }] } };
      const { data } = await client.mutate<Record<string, Record<string, unknown>>>({
        mutation: PLACE_ORDER,
        variables,
      });
      return data?.['placeOrder'] ?? {};
    };
    const order = await place(2);
    expect(order).toMatchObject({ __typename: 'Order', status: 'PENDING', totalCents: '3980' });
    expect(client.cache.extract()).toMatchObject({ [`Order:${String(order['id'])}`]: order });
    expect(await place(0)).toMatchObject({
      __typename: 'InvalidOrder',
      code: expect.any(String),
      faults: [{ pointer: '/items/0/quantity' }],
    });
  });

  it('is told of variables that do not fit', async () => {
    const client = await apollo();
    const variables: OperationVariables = { note: { text: 7 } };
    const error = await refusal(client.mutate({ mutation: NOTE, variables }));
    expect(CombinedGraphQLErrors.is(error) && error.errors).toMatchObject([
      { message: expect.stringContaining('String'), extensions: { code: 'request-invalid' } },
    ]);
  });

  it('shows a section that fell back in `extensions`, and no error', async () => {
    const seen: unknown[] = [];
    const look = new ApolloLink((operation, forward) =>
      forward(operation).pipe(tap(({ extensions }) => void seen.push(extensions))),
    );
    const client = await apollo({ before: [look] });
    await wholePage(client);
    await holder.shop.services.feed.fault('dead');
    seen.length = 0;
    const { data, error } = await client.query<Page>({ query: HOMEPAGE, fetchPolicy: 'network-only' });
    expect([error, data?.homepage.feed.items]).toEqual([undefined, []]);
    expect(data?.homepage.user.name).toBe('Bob User');
    expect(seen[0]).toEqual({
      degraded: [
        { section: 'feed', code: 'upstream-unreachable', via: 'fallback', path: ['homepage', 'feed'] },
      ],
    });
  });

  it('shows a part that is missing as an error with its code, beside the data with `errorPolicy: all`', async () => {
    const client = await apollo();
    await holder.shop.services['users-1'].fault('dead');
    const query = gql`
      query Name {
        __typename
        homepage {
          user {
            name
          }
        }
      }
    `;
    const error = await refusal(client.query({ query }));
    expect(CombinedGraphQLErrors.is(error) && error.errors).toMatchObject([
      { path: ['homepage', 'user'], extensions: { code: 'upstream-unreachable', retryable: true } },
    ]);
    const both = await client.query({ query, errorPolicy: 'all' });
    expect(both.data).toEqual({ __typename: 'Query', homepage: null });
    expect(CombinedGraphQLErrors.is(both.error)).toBe(true);
  });

  it('gets a bad token as a problem of HTTP, with its body', async () => {
    const link = new HttpLink({ uri: address(), headers: { authorization: 'Bearer nonsense' } });
    const client = new ApolloClient({ cache: new InMemoryCache(), link });
    const error = await refusal(client.query({ query: HOMEPAGE }));
    if (!ServerError.is(error)) throw error;
    expect([error.statusCode, JSON.parse(error.bodyText)]).toMatchObject([
      401,
      { code: 'credentials-invalid' },
    ]);
  });

  it('subscribes over WebSocket, and what it hears is in the cache', async () => {
    const client = await apollo();
    const heard: unknown[] = [];
    const stop = client.subscribe({ query: ADDED }).subscribe(({ data }) => heard.push(data));
    await notifyUntil(holder.shop, '2', { id: 'n-1', text: 'over the wire' }, () => heard.length > 0);
    const note = { __typename: 'Notification', id: 'n-1', text: 'over the wire' };
    expect(heard[0]).toEqual({ notificationAdded: note });
    expect(client.cache.extract()).toMatchObject({ 'Notification:n-1': note });
    const variables = { note: { text: 'from a mutation' } };
    await client.mutate({ mutation: NOTE, variables });
    const last = { notificationAdded: { __typename: 'Notification', text: 'from a mutation' } };
    while (JSON.stringify(heard.at(-1)).includes('n-1')) await sleep(5);
    expect(heard.at(-1)).toMatchObject(last);
    stop.unsubscribe();
  });

  it('is told over WebSocket why a subscription is refused', async () => {
    const client = await apollo();
    const query = gql`
      subscription Wrong {
        notificationAdded {
          colour
        }
      }
    `;
    const { error } = await new Promise<{ error?: unknown }>((resolve) => {
      client.subscribe({ query }).subscribe({ next: resolve, error: (error) => resolve({ error }) });
    });
    expect(CombinedGraphQLErrors.is(error) && error.errors).toMatchObject([
      { message: expect.stringContaining('colour'), extensions: { code: 'request-invalid' } },
    ]);
  });

  it('sends a document once, and its hash by GET from then on', async () => {
    const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
    const persisted = (): ApolloLink => new PersistedQueryLink({ sha256, useGETForHashedQueries: true });
    const query = gql`
      query Persisted {
        homepage {
          user {
            id
            name
          }
        }
      }
    `;
    const sent: Sent[] = [];
    const first = await apollo({ before: [persisted()] }, sent);
    expect((await first.query<Page>({ query })).data?.homepage.user.name).toBe('Bob User');
    expect(sent.map(({ method, url, body }) => [method, (url + body).includes('query Persisted')])).toEqual([
      ['GET', false],
      ['POST', true],
    ]);
    sent.length = 0;
    const second = await apollo({ before: [persisted()], user: 'admin' }, sent);
    expect((await second.query<Page>({ query })).data?.homepage.user.name).toBe('Ada Admin');
    expect(sent.map(({ method }) => method)).toEqual(['GET']);
    expect(sent[0]?.url).not.toContain('homepage');
  });
});
