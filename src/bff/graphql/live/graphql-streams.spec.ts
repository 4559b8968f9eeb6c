import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Query, Resolver, Subscription } from '@nestjs/graphql';
import { CurrentExchange } from '../../../exchange/exchange-of.ts';
import { Exchange } from '../../../exchange/exchange.ts';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';

@Resolver()
class HoldResolver {
  @Query(() => String)
  now(): string {
    return 'now';
  }

  /** Says one thing, and then nothing until its client leaves. */
  @Subscription(() => String)
  async *hold(@CurrentExchange() exchange: Exchange): AsyncGenerator<{ hold: string }> {
    yield { hold: 'held' };
    await new Promise((resolve) => exchange.onCancel(resolve));
  }
}

const TOKEN = 'x-graphql-event-stream-token';
const open: Response[] = [];
let bff: BffApp;
beforeAll(async () => {
  bff = await startBff({
    graphql: { subscriptions: { sockets: 2 } },
    modules: [{ module: class HoldModule {}, providers: [HoldResolver] }],
  });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((response) => response.body?.cancel()));
});
afterAll(() => bff.stop());

async function ask(method: string, headers: Record<string, string>, body?: object): Promise<Response> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${bff.url}/graphql`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...init,
  });
  if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) open.push(response);
  return response;
}

const reserve = (): Promise<Response> => ask('PUT', {});
const listen = (token: string): Promise<Response> =>
  ask('GET', { accept: 'text/event-stream', [TOKEN]: token });
const distinct = (): Promise<Response> =>
  ask('POST', { accept: 'text/event-stream' }, { query: 'subscription { hold }' });

/** What a stream says, until it has said something. */
async function heardOn(stream: Response, text: string): Promise<string> {
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
  let heard = '';
  while (!heard.includes(text)) {
    const { value, done } = await reader.read();
    if (done) break;
    heard += Buffer.from(value).toString();
  }
  reader.releaseLock();
  return heard;
}

/** A stream ends a moment after its client has left. */
async function untilFree(): Promise<string> {
  for (;;) {
    const response = await reserve();
    if (response.status === 201) return response.text();
  }
}

describe('a stream for all operations of a client', () => {
  it('is one stream, reserved and open', async () => {
    const token = await untilFree();
    expect((await listen(token)).status).toBe(200);
    expect((await distinct()).status).toBe(200);
    expect((await distinct()).status).toBe(429);
  });

  it('can be opened when it was the last one that could be reserved', async () => {
    const first = await untilFree();
    const second = await untilFree();
    expect((await reserve()).status).toBe(429);
    expect((await distinct()).status).toBe(429);
    expect((await listen(first)).status).toBe(200);
    expect((await listen(second)).status).toBe(200);
  });

  it('stays with who has opened it, and is refused to who opens it again', async () => {
    const token = await untilFree();
    const stream = await listen(token);
    const again = await listen(token);
    expect(again.status).toBe(409);
    await again.body?.cancel();
    const body = { query: 'subscription { hold }', extensions: { operationId: '1' } };
    expect((await ask('POST', { [TOKEN]: token }, body)).status).toBe(202);
    expect(await heardOn(stream, 'held')).toContain('"id":"1"');
  });
});
