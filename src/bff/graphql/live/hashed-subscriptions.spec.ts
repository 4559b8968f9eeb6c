import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Query, Resolver, Subscription } from '@nestjs/graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient, type SubscribePayload } from 'graphql-ws';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';
import { postTo } from '../graphql-client.fixture.ts';
import { sha256 } from '../documents/trusted-documents.ts';

@Resolver()
class CountResolver {
  @Query(() => String)
  hello(): string {
    return 'hello';
  }

  @Subscription(() => Number)
  async *counted(): AsyncGenerator<{ counted: number }> {
    for (let counted = 1; counted <= 2; counted += 1) yield await Promise.resolve({ counted });
  }
}

const TRUSTED = 'subscription Counted { counted }';
const OTHER = 'subscription { again: counted }';
const COUNTED = [{ data: { counted: 1 } }, { data: { counted: 2 } }];
const modules = [{ module: class CountModule {}, providers: [CountResolver] }];
const byHash = (query: string) => ({ persistedQuery: { version: 1, sha256Hash: sha256(query) } });

let folder: string;
let open: BffApp;
let strict: BffApp;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-documents-'));
  await writeFile(join(folder, 'counted.graphql'), TRUSTED);
  const graphql = (only: boolean) => ({ trustedDocuments: { path: folder, only } });
  open = await startBff({ modules, graphql: graphql(false) });
  strict = await startBff({ modules, graphql: graphql(true) });
});
afterAll(() => Promise.all([open.stop(), strict.stop(), rm(folder, { recursive: true })]));

type Payload = Omit<SubscribePayload, 'query'> & { readonly query?: string; readonly documentId?: unknown };

/** Everything that an operation brings, by a client that wants a text and one that writes its messages itself. */
async function overSocket({ url }: BffApp, payload: Payload): Promise<unknown[]> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const heard: unknown[] = [];
  socket.on('open', () => socket.send('{"type":"connection_init"}'));
  socket.on('message', (data) => {
    const { type, payload: brought } = JSON.parse(String(data)) as { type: string; payload?: unknown };
    if (type === 'connection_ack') socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
    if (type === 'next' || type === 'error') heard.push(brought);
    if (type === 'complete' || type === 'error') socket.close();
  });
  const code = await new Promise<number>((resolve) => socket.on('close', resolve));
  return code === 1005 ? heard : [code];
}

async function overEvents({ url }: BffApp, payload: Payload): Promise<unknown[]> {
  const headers = { accept: 'text/event-stream', 'content-type': 'application/json' };
  return eventsIn(await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify(payload) }));
}

async function overGet({ url }: BffApp, payload: Payload): Promise<unknown[]> {
  const params = Object.entries(payload).map(([name, value]) => [name, asText(value)]);
  const query = new URLSearchParams(params).toString();
  return eventsIn(await fetch(`${url}/graphql?${query}`, { headers: { accept: 'text/event-stream' } }));
}

async function eventsIn(response: Response): Promise<unknown[]> {
  const text = await response.text();
  return [...text.matchAll(/event: next\ndata: (.*)\n/g)].map(
    ([, json]) => JSON.parse(json ?? '') as unknown,
  );
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const WAYS = [
  ['WebSocket', overSocket],
  ['Server-Sent Events', overEvents],
  ['Server-Sent Events by GET', overGet],
] as const;

/** The message and the code of an answer without data, in whichever form it came. */
function refusalIn(heard: readonly unknown[]): unknown {
  const [first] = heard as [{ errors?: unknown[] } | unknown[] | undefined];
  const [error] = Array.isArray(first) ? first : (first?.errors ?? []);
  return error;
}

describe.each(WAYS)('a document by its hash over %s', (_name, ask) => {
  it('runs when it is trusted, by its id or as a persisted query', async () => {
    const hash = sha256(TRUSTED);
    for (const app of [open, strict]) {
      expect(await ask(app, { documentId: hash })).toEqual(COUNTED);
      expect(await ask(app, { documentId: `sha256:${hash}`, query: '' })).toEqual(COUNTED);
      expect(await ask(app, { extensions: byHash(TRUSTED) })).toEqual(COUNTED);
      expect(await ask(app, { query: '', extensions: byHash(TRUSTED) })).toEqual(COUNTED);
    }
  });

  it('is refused with the same words as over HTTP', async () => {
    const asked: [BffApp, Payload][] = [
      [strict, { query: TRUSTED }],
      [strict, { extensions: byHash(OTHER) }],
      [strict, { documentId: sha256(OTHER) }],
      [open, { documentId: 'abc' }],
      [open, { extensions: byHash('{ never }') }],
      [open, { query: '{ hello }', extensions: byHash('{ other }') }],
    ];
    for (const [app, payload] of asked) {
      const { body } = await postTo(app.url, payload);
      const [overHttp] = body.errors ?? [];
      const { message, extensions = { code: 'request-invalid' } } = overHttp ?? {};
      expect(message).toMatch(/trusted|SHA-256|PersistedQueryNotFound/);
      expect(refusalIn(await ask(app, payload))).toEqual({ message, extensions });
    }
  });

  it('is learned with its text and then known', async () => {
    const query = `subscription Learned${_name.replaceAll(/\W/g, '')} { counted }`;
    expect(await ask(open, { query, extensions: byHash(query) })).toEqual(COUNTED);
    expect(await ask(open, { extensions: byHash(query) })).toEqual(COUNTED);
  });
});

describe('clients that send an empty text with the hash', () => {
  it('get their events, with graphql-ws and graphql-sse', async () => {
    const socket = createClient({
      url: `${strict.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    const payload = { query: '', extensions: byHash(TRUSTED) };
    const heard: unknown[] = [];
    for await (const answer of socket.iterate(payload)) heard.push(answer);
    await socket.dispose();
    const events = createSseClient({
      url: `${strict.url}/graphql`,
      singleConnection: true,
      retryAttempts: 0,
    });
    for await (const answer of events.iterate(payload)) heard.push(answer);
    events.dispose();
    expect(heard).toEqual([...COUNTED, ...COUNTED]);
  });
});
