import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/kinds-gateway.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { useShop, type Shop } from '../support/shop.ts';
import { open } from '../support/socket-client.ts';

const RATE = 30;
const ASKED = 60;
const TOKEN = 'x-graphql-event-stream-token';

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = server.client();
});
afterAll(() => server.stop());
const more = {
  graphql: {
    policies: { rateLimit: [{ key: 'principal', rate: RATE, per: '1h' }] },
    subscriptions: { perSocket: ASKED },
  },
};
/** Counts in its process, and so exactly. */
const alone = useShop({ more });
/** Keeps what all replicas may know. */
const sharing = useShop({ more, environment: () => ({ REDIS_URL: server.url }) });

interface OperationCase {
  readonly query: string;
  readonly extensions?: object;
}
/** What became of each operation: its data, or the code of its refusal. */
type Outcomes = readonly string[];
type Ask = (client: Client, operations: readonly OperationCase[]) => Promise<Outcomes>;

/** Who asks, and which gateway. */
interface Client {
  readonly url: string;
  readonly authorization: string;
}

function outcomeOf(text: string): string {
  return text.includes('"data"') ? 'data' : (/"code":"([\w-]+)"/.exec(text)?.[1] ?? text);
}

type Headers = Record<string, string>;

const graphql = (url: string, method: string, headers: Headers, body?: object): Promise<Response> =>
  fetch(`${url}/graphql`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });

async function askEach(
  url: string,
  headers: Headers,
  operations: readonly OperationCase[],
): Promise<Outcomes> {
  const outcomes: string[] = [];
  for (const operation of operations)
    outcomes.push(outcomeOf(await (await graphql(url, 'POST', headers, operation)).text()));
  return outcomes;
}

const overHttp: Ask = ({ url, authorization }, operations) => askEach(url, { authorization }, operations);

const overStreams: Ask = ({ url, authorization }, operations) =>
  askEach(url, { authorization, accept: 'text/event-stream' }, operations);

const overOneStream: Ask = async ({ url, authorization }, operations) => {
  const put = await graphql(url, 'PUT', { authorization });
  const own = { authorization, [TOKEN]: await put.text() };
  const stream = await graphql(url, 'GET', { ...own, accept: 'text/event-stream' });
  const outcomes: string[] = [];
  let isAccepted = 0;
  for (const [i, operation] of operations.entries()) {
    const extensions = { ...operation.extensions, operationId: String(i) };
    const response = await graphql(url, 'POST', own, { ...operation, extensions });
    if (response.status === 202) isAccepted += 1;
    else outcomes.push(outcomeOf(await response.text()));
  }
  let text = '';
  for await (const part of stream.body ?? []) {
    text += Buffer.from(part as Uint8Array).toString();
    if (text.split('event: complete').length > isAccepted) break;
  }
  for (const event of text.split('\n\n')) if (event.includes('event: next')) outcomes.push(outcomeOf(event));
  return outcomes;
};

const overSocket: Ask = async ({ url, authorization }, operations) => {
  const { socket, messages } = await open('/graphql', {
    url,
    protocols: ['graphql-transport-ws'],
    headers: { authorization },
  });
  socket.send('{"type":"connection_init"}');
  await until(() => messages.length === 1);
  for (const [i, payload] of operations.entries())
    socket.send(JSON.stringify({ id: String(i), type: 'subscribe', payload }));
  const answers = (): string[] =>
    messages.map((one) => JSON.stringify(one)).filter((one) => /"type":"(next|error)"/.test(one));
  await until(() => answers().length === operations.length);
  socket.close();
  return answers().map(outcomeOf);
};

/** How many tokens each door costs before its first operation: the handshake, and the two requests of a stream. */
const DOORS: readonly [door: string, ask: Ask, before: number][] = [
  ['HTTP', overHttp, 0],
  ['an event stream for each', overStreams, 0],
  ['one event stream', overOneStream, 2],
  ['a WebSocket', overSocket, 1],
];

const count = (outcomes: Outcomes, wanted: string): number =>
  outcomes.filter((outcome) => outcome === wanted).length;
const clientOf = async ({ shop }: { readonly shop: Shop }, sub: string): Promise<Client> => ({
  url: shop.gateway.url,
  authorization: `Bearer ${await shop.services.identity.token('user', { sub })}`,
});
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('work before the limit', () => {
  it.each(DOORS)(
    'over %s: a document is looked at only for who pays for it, once',
    async (_, ask, before) => {
      const operations = Array.from({ length: ASKED }, (_each, i) => ({ query: `{ nope${i} }` }));
      const outcomes = await ask(await clientOf(alone, `invalid ${before} ${ask.name}`), operations);
      expect(count(outcomes, 'rate-limited')).toBe(ASKED - RATE + before);
      expect(count(outcomes, 'request-invalid')).toBe(RATE - before);
    },
  );

  it.each(DOORS)('over %s: a document is kept only for who pays for it', async (door, ask) => {
    const queries = Array.from({ length: ASKED }, (_, i) => `query Kept${i} { __typename } # ${door}`);
    const operations = queries.map((query) => ({
      query,
      extensions: { persistedQuery: { version: 1, sha256Hash: sha256(query) } },
    }));
    const outcomes = await ask(await clientOf(sharing, `kept ${ask.name}`), operations);
    const kept = async (): Promise<number> =>
      redis.exists(queries.map((query) => `graphql:apq:${sha256(query)}`));
    while ((await kept()) === 0) await sleep(5);
    await sleep(100);
    expect(await kept()).toBeLessThanOrEqual(count(outcomes, 'data'));
    expect(count(outcomes, 'data')).toBeLessThan(ASKED);
    // Counted for all replicas.
    expect(await redis.exists('ratelimit:graphql:apq:all')).toBe(1);
  });
});
