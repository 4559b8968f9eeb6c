import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Query, Resolver, Subscription } from '@nestjs/graphql';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';

@Resolver()
class ClockResolver {
  @Query(() => String)
  now(): string {
    return 'now';
  }

  @Subscription(() => String)
  async *tick(): AsyncGenerator<{ tick: string }> {
    yield await Promise.resolve({ tick: 'tack' });
  }
}

const APP = 'https://app.example';
const EVIL = 'https://evil.example';

let bff: BffApp;
beforeAll(async () => {
  bff = await startBff({
    graphql: { subscriptions: { origins: [APP] } },
    modules: [{ module: class ClockModule {}, providers: [ClockResolver] }],
  });
});
afterAll(() => bff.stop());

interface Handshake {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
  readonly url?: string;
}

/** What becomes of a handshake: 101, or the status and the problem that it is refused with. */
async function handshake({ headers = {}, protocols = [], url = bff.url }: Handshake): Promise<object> {
  const offered = ['graphql-transport-ws', ...protocols];
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, offered, { headers });
  const opened = new Promise<object>((resolve) => {
    socket.on('open', () => resolve({ status: 101 }));
    socket.on('unexpected-response', (_request, response: IncomingMessage) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.on('end', () => resolve({ status: response.statusCode, ...(JSON.parse(text) as object) }));
    });
  });
  const outcome = await opened;
  socket.on('error', () => {}).close();
  return outcome;
}

describe('the handshake of a page', () => {
  it('is refused when its origin is another one', async () => {
    for (const origin of [EVIL, 'null', `${APP}.evil.example`, 'http://app.example']) {
      expect(await handshake({ headers: { origin } })).toMatchObject({
        status: 403,
        code: 'permission-denied',
        detail: 'Pages of this origin may not open sockets here.',
      });
    }
  });

  it('passes when it is ours, listed, or brings a token or a key', async () => {
    for (const given of [
      { headers: { origin: bff.url } },
      { headers: { origin: APP } },
      { headers: { origin: EVIL }, protocols: ['bearer.token'] },
      { headers: { origin: EVIL, 'x-api-key': 'key' } },
    ])
      expect(await handshake(given)).toEqual({ status: 101 });
  });

  it('passes when there is no page', async () => {
    expect(await handshake({})).toEqual({ status: 101 });
  });

  it('is refused from every other origin when none is listed', async () => {
    const strict = await startBff({
      modules: [{ module: class StrictModule {}, providers: [ClockResolver] }],
    });
    const { url } = strict;
    expect(await handshake({ url, headers: { origin: APP } })).toMatchObject({ status: 403 });
    expect(await handshake({ url, headers: { origin: url } })).toEqual({ status: 101 });
    await strict.stop();
  });
});

describe('a stream of events that a foreign page may have caused', () => {
  const accept = 'text/event-stream';
  const body = JSON.stringify({ query: 'subscription { tick }' });
  const query = `query=${encodeURIComponent('subscription { tick }')}`;
  const ask = (init: RequestInit, search = ''): Promise<Response> =>
    fetch(`${bff.url}/graphql${search}`, init);

  it('is refused as a GET, as EventSource sends it', async () => {
    for (const site of ['cross-site', 'same-site']) {
      const refused = await ask({ headers: { accept, 'sec-fetch-site': site } }, `?${query}`);
      expect([refused.status, await refused.json()]).toMatchObject([400, { code: 'request-invalid' }]);
    }
    const cookie = await ask({ headers: { accept, cookie: 's=1' } }, `?${query}`);
    expect(cookie.status).toBe(400);
    await cookie.body?.cancel();
  });

  it('is refused as a POST of a form or a text, which need no preflight', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const headers = { accept, 'content-type': type, 'sec-fetch-site': 'cross-site' };
      const refused = await ask({ method: 'POST', headers, body });
      expect([refused.status, await refused.json()]).toMatchObject([415, { code: 'media-type-unsupported' }]);
    }
  });

  it('is answered when the page is ours, or no page', async () => {
    for (const headers of [{ accept, 'sec-fetch-site': 'same-origin' }, { accept }])
      expect(await (await ask({ headers }, `?${query}`)).text()).toContain('tack');
    const headers = { accept, 'content-type': 'application/json' };
    expect(await (await ask({ method: 'POST', headers, body })).text()).toContain('tack');
  });
});
