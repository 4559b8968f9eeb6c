import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { call, speak } from './support/client.ts';
import { startGateway, type TestGateway } from './support/gateway.ts';
import { KindsServer } from './support/kinds-server.ts';

const KEY = 'key-of-the-test-of-sockets';

let server: KindsServer;
let gateway: TestGateway;

function config(grpc = '', policies = 'authentication: public', upstream = ''): string {
  return `
version: 1
identity: { apiKeys: [{ sha256: ${createHash('sha256').update(KEY).digest('hex')}, clientId: app }] }
upstreams:
  kinds: { protocol: grpc, descriptorSet: proto/test/kinds.binpb, targets: ['${server.url}'], ${upstream} }
routes:
  - id: kinds
    upstream: kinds
    grpc: { service: test.v1.Kinds, ${grpc} }
    policies: { ${policies} }
`;
}

beforeAll(async () => {
  server = await new KindsServer().start();
  gateway = await startGateway({ config: config() });
});
beforeEach(() => server.reset());
afterAll(async () => {
  await gateway.stop();
  server.stop();
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

/** A client, and all that it heard. */
interface Client {
  readonly socket: WebSocket;
  readonly messages: unknown[];
  /** Binary frames. */
  readonly problems: Record<string, unknown>[];
  readonly closed: Promise<{ code: number; reason: string }>;
}

interface Opening {
  readonly url?: string;
  readonly headers?: Record<string, string>;
  readonly protocols?: string[];
}

function connect(path: string, { url = gateway.url, headers = {}, protocols = [] }: Opening = {}): Client {
  const socket = new WebSocket(url.replace('http', 'ws') + path, protocols, { headers });
  const [messages, problems] = [[], []] as [unknown[], Record<string, unknown>[]];
  socket.on('message', (data, isBinary) => {
    const value = JSON.parse(String(data)) as Record<string, unknown>;
    if (isBinary) problems.push(value);
    else messages.push(value);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  socket.on('error', () => {});
  return { socket, messages, problems, closed };
}

async function open(path: string, opening?: Opening): Promise<Client> {
  const client = connect(path, opening);
  await once(client.socket, 'open');
  return client;
}

/** The answer of a handshake that is refused. */
async function refused(
  path: string,
  opening?: Opening,
): Promise<{ status: number; code: unknown; head: IncomingMessage['headers'] }> {
  const { socket } = connect(path, opening);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const { code } = JSON.parse(text) as { code: string };
  return { status: response.statusCode ?? 0, code, head: response.headers };
}

async function withGateway(text: string, use: (gateway: TestGateway) => Promise<void>): Promise<void> {
  const other = await startGateway({ config: text });
  try {
    await use(other);
  } finally {
    await other.stop();
  }
}

describe('a call with both streams, over a WebSocket', () => {
  it('answers each message while others are sent, and ends with an empty frame', async () => {
    const { socket, messages, closed } = await open('/test/chat/hi');
    socket.send('{"number":"9007199254740993","note":"the path has the last word"}');
    await until(() => messages.length === 1);
    socket.send('{"number":2}');
    await until(() => messages.length === 2);
    expect(messages).toEqual([
      { number: '18014398509481986', note: 'hi' },
      { number: '4', note: 'hi' },
    ]);
    socket.send('');
    expect(await closed).toEqual({ code: 1000, reason: '' });
    const [line] = await gateway.linesWhere((one) => one['route'] === 'kinds.Chat');
    expect(line).toMatchObject({ status: 101, method: 'GET', upstream: 'kinds', bytes: 68 });
    expect(line).not.toHaveProperty('cut');
  });

  it('takes the fields of its query as defaults where the binding is a GET', async () => {
    const { socket, messages, closed } = await open('/test/talk/hi?number=7');
    socket.send('{}');
    socket.send('{"number":1}');
    socket.send('');
    expect(await closed).toMatchObject({ code: 1000 });
    expect(messages).toEqual([
      { number: '14', note: 'hi' },
      { number: '2', note: 'hi' },
    ]);
  });

  it('cancels the call when the client goes, with a goodbye or without', async () => {
    const polite = await open('/test/chat/x');
    await until(() => server.calls === 1);
    polite.socket.close();
    await until(() => server.cancelled === 1);
    const rude = await open('/test/chat/x');
    await until(() => server.calls === 2);
    rude.socket.terminate();
    await until(() => server.cancelled === 2);
  });

  it('masks fields of each message, and carries what metadata may pass', async () => {
    const grpc = 'metadata: { request: [x-team, x-other] }';
    const policies = 'authentication: public, transform: { response: { maskFields: [note] } }';
    await withGateway(config(grpc, policies), async ({ url }) => {
      const { socket, messages } = await open('/test/chat/secret', { url, headers: { 'x-team': 'blue' } });
      socket.send('{"number":1}');
      await until(() => messages.length === 1);
      expect(JSON.stringify(messages)).not.toContain('secret');
      expect(server.lastMetadata?.getMap()).toMatchObject({
        'x-team': 'blue',
        'x-request-id': expect.any(String),
      });
      socket.close();
    });
  });

  it('asks another target while nothing was said', async () => {
    const targets = `targets: ['grpc://127.0.0.1:1', '${server.url}'], circuitBreaker: off`;
    const text = config().replace(`targets: ['${server.url}'],`, targets);
    await withGateway(text, async ({ url }) => {
      // One of the two meets the dead target first.
      for (const number of [1, 2]) {
        const { socket, messages, closed } = await open('/test/chat/x', { url });
        await until(() => server.calls === number);
        socket.send(JSON.stringify({ number }));
        socket.send('');
        expect(await closed).toMatchObject({ code: 1000 });
        expect(messages).toEqual([{ number: String(number * 2), note: 'x' }]);
      }
    });
  });

  it('shows how many are open', async () => {
    const metric = async (): Promise<string | undefined> =>
      /gatehouse_open_sockets\{route="kinds.Chat"\} (\d+)/.exec(
        (await call(`${gateway.adminUrl}/metrics`)).text,
      )?.[1];
    const { socket, closed } = await open('/test/chat/x');
    expect(await metric()).toBe('1');
    socket.close();
    await closed;
    expect(await metric()).toBe('0');
  });
});

describe('other streams over a WebSocket', () => {
  it('sends what a server streams, without a word of the client', async () => {
    const { messages, closed } = await open('/test/count/3');
    expect(await closed).toEqual({ code: 1000, reason: '' });
    expect(messages).toEqual([{ number: '1' }, { number: '2' }, { number: '3' }]);
  });

  it('takes the one request of a stream from the first frame, where its binding has a body', async () => {
    const { socket, messages, closed } = await open('/test/count');
    socket.send('{"to":2}');
    expect(await closed).toEqual({ code: 1000, reason: '' });
    expect(messages).toEqual([{ number: '1' }, { number: '2' }]);
    const empty = await open('/test/count');
    empty.socket.send('');
    expect(await empty.closed).toEqual({ code: 4400, reason: 'request-invalid' });
    expect(empty.problems).toMatchObject([{ detail: 'Expected one message.' }]);
    let release: () => void = () => {};
    server.hold = new Promise((resolve) => (release = resolve));
    const twice = await open('/test/count');
    twice.socket.send('{"to":2}');
    twice.socket.send('{"to":2}');
    expect(await twice.closed).toEqual({ code: 4400, reason: 'request-invalid' });
    release();
  });

  it('answers once what a client streams', async () => {
    const { socket, messages, closed } = await open('/test/sum');
    for (const number of [1, 2, 3]) socket.send(JSON.stringify({ number }));
    socket.send('');
    expect(await closed).toMatchObject({ code: 1000 });
    expect(messages).toEqual([{ to: 6, padding: 3 }]);
  });

  it('does not read on while the service does not', async () => {
    let release: () => void = () => {};
    server.hold = new Promise((resolve) => (release = resolve));
    const { socket, messages, closed } = await open('/test/sum');
    let written = 0;
    for (let sent = 0; sent < 300; sent += 1)
      socket.send(JSON.stringify({ number: 1, note: 'x'.repeat(200_000) }), () => (written += 1));
    let before = -1;
    while (before !== written) {
      before = written;
      await sleep(200);
    }
    expect(written).toBeLessThan(300);
    release();
    socket.send('');
    expect(await closed).toMatchObject({ code: 1000 });
    expect(messages).toEqual([{ to: 300, padding: 300 }]);
  });

  it('holds the service back while the client does not read', async () => {
    const client = await open('/test/count/2000?padding=20000');
    client.socket.pause();
    await until(() => server.written > 0);
    let before = -1;
    while (before !== server.written) {
      before = server.written;
      await sleep(200);
    }
    expect(server.written).toBeLessThan(2000);
    client.socket.resume();
    expect(await client.closed).toMatchObject({ code: 1000 });
    expect(client.messages).toHaveLength(2000);
  });

  it('are still there as they were', async () => {
    const answer = await call(`${gateway.url}/test/count/2`, { headers: { accept: 'application/x-ndjson' } });
    expect(answer.text).toBe('{"number":"1"}\n{"number":"2"}\n');
    const get = await call(`${gateway.url}/test/chat/x`);
    expect([get.status, get.headers['allow']]).toEqual([405, 'POST']);
    const alone = await call(`${gateway.url}/test/talk/x`);
    expect([alone.status, alone.headers['upgrade']]).toEqual([426, 'websocket']);
    // No `Connection: upgrade`, and so no upgrade.
    const half = await call(`${gateway.url}/test/chat/x`, { headers: { upgrade: 'websocket' } });
    expect(half.status).toBe(426);
  });

  it('leave upgrades for other routes plain requests', async () => {
    const { socket } = connect('/test/items/7');
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(200);
    socket.terminate();
  });
});

describe('what goes wrong over a WebSocket', () => {
  it.each([
    [status.NOT_FOUND, 4404, 'resource-not-found'],
    [status.PERMISSION_DENIED, 4403, 'permission-denied'],
    [status.INVALID_ARGUMENT, 4400, 'request-invalid'],
    [status.ABORTED, 4409, 'conflict'],
    [status.RESOURCE_EXHAUSTED, 4429, 'upstream-exhausted'],
    [status.UNIMPLEMENTED, 4501, 'not-implemented'],
    [status.INTERNAL, 4502, 'upstream-rejected'],
    [status.UNAVAILABLE, 4502, 'upstream-unreachable'],
    [status.DEADLINE_EXCEEDED, 4504, 'upstream-timeout'],
  ])('status %i closes with %i and the problem in a binary frame', async (code, closeCode, reason) => {
    server.refusal = { code, details: 'secret' };
    const { socket, messages, problems, closed } = await open('/test/chat/x');
    socket.send('{}');
    expect(await closed).toEqual({ code: closeCode, reason });
    expect(messages).toEqual([]);
    expect(problems).toMatchObject([{ code: reason, status: closeCode - 4000 }]);
    expect(JSON.stringify(problems)).not.toContain('secret');
  });

  it('breaks off a stream after the messages before', async () => {
    server.refusal = { code: status.DATA_LOSS, details: 'secret' };
    const { messages, closed } = await open('/test/count/9?failAfter=2');
    expect(await closed).toEqual({ code: 4502, reason: 'upstream-response-invalid' });
    expect(messages).toHaveLength(2);
    const lines = await gateway.linesWhere(
      (one) => one['path'] === '/test/count/9?failAfter=' && one['refused'] !== undefined,
    );
    expect(lines).toMatchObject([{ status: 101, refused: { code: 'upstream-response-invalid' } }]);
  });

  it.each([
    ['{"number":', 'Message 1 is not valid.'],
    ['{"nope":1}', 'Message 1 is not valid.'],
    ['[]', 'Message 1 is not valid.'],
  ])('names what is wrong with %s', async (frame, detail) => {
    const { socket, problems, closed } = await open('/test/chat/x');
    socket.send(frame);
    expect(await closed).toEqual({ code: 4400, reason: 'request-invalid' });
    expect(problems).toMatchObject([{ detail, errors: [expect.anything()] }]);
    await until(() => server.cancelled === 1 || server.calls === 0);
  });

  it('refuses binary frames, and frames that are too large', async () => {
    const binary = await open('/test/chat/x');
    binary.socket.send(Buffer.from('{}'));
    expect((await binary.closed).code).toBe(1003);
    await withGateway(config('maxLine: 100B'), async ({ url }) => {
      const large = await open('/test/chat/x', { url });
      large.socket.send(JSON.stringify({ note: 'x'.repeat(200) }));
      expect((await large.closed).code).toBe(1009);
    });
  });

  it('closes an idle socket, one that is too old, and all of them when it leaves', async () => {
    await withGateway(config('webSocket: { idle: 200ms }'), async ({ url }) => {
      expect(await (await open('/test/chat/x', { url })).closed).toEqual({ code: 1001, reason: 'Idle' });
    });
    await withGateway(config('webSocket: { maxAge: 200ms }'), async ({ url }) => {
      expect(await (await open('/test/chat/x', { url })).closed).toEqual({ code: 1012, reason: 'Too old' });
    });
    let leaving: Client | undefined;
    await withGateway(config(), async ({ url }) => {
      leaving = await open('/test/chat/x', { url });
    });
    expect(await leaving?.closed).toEqual({ code: 1001, reason: 'Going away' });
    await until(() => server.cancelled === 3);
  });

  it('has no deadline', async () => {
    await withGateway(config('', 'authentication: public, deadline: 150ms'), async ({ url }) => {
      const { socket, messages, closed } = await open('/test/chat/x', { url });
      await sleep(300);
      socket.send('{"number":1}');
      await until(() => messages.length === 1);
      socket.send('');
      expect((await closed).code).toBe(1000);
    });
  });
});

describe('the handshake', () => {
  it('meets the stages of the route first', async () => {
    const policies = 'authentication: { schemes: [apiKey] }, rateLimit: { key: principal, rate: 1, per: 1d }';
    await withGateway(config('', policies), async (other) => {
      const { url } = other;
      expect(await refused('/test/chat/x', { url })).toMatchObject({
        status: 401,
        code: 'credentials-missing',
      });
      const headers = { 'x-api-key': KEY };
      const client = connect('/test/chat/x', { url, headers });
      const [response] = (await once(client.socket, 'upgrade')) as [IncomingMessage];
      expect(response.headers['x-request-id']).toEqual(expect.any(String));
      client.socket.close();
      await client.closed;
      const limited = await refused('/test/chat/x', { url, headers });
      expect(limited).toMatchObject({ status: 429, code: 'rate-limited' });
      expect(limited.head['retry-after']).toEqual(expect.any(String));
      expect(server.calls).toBe(1);
      const lines = await other.accessLines(3);
      expect(lines.map((line) => line['status'])).toEqual([401, 101, 429]);
    });
  });

  it('is refused while the breaker of every target is open', async () => {
    await withGateway(
      config('', 'authentication: public', 'circuitBreaker: { consecutiveFailures: 1, openFor: 1h }'),
      async ({ url }) => {
        server.refusal = { code: status.UNAVAILABLE, details: '' };
        await (
          await open('/test/count/1', { url })
        ).closed;
        expect(await refused('/test/count/1', { url })).toMatchObject({ status: 503, code: 'circuit-open' });
      },
    );
  });

  it('is refused for what no message could mend', async () => {
    expect(await refused('/test/talk/x?nope=1')).toMatchObject({ status: 400, code: 'request-invalid' });
    expect(await refused('/test/count/many')).toMatchObject({ status: 400, code: 'request-invalid' });
  });

  it('is refused when it is none', async () => {
    const lines = [
      'GET /test/chat/x HTTP/1.1',
      'Host: x',
      'Connection: upgrade',
      'Upgrade: websocket',
      '',
      '',
    ];
    const answer = await speak(gateway.url, lines.join('\r\n'));
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain('"code":"request-malformed"');
    const [line] = await gateway.linesWhere(
      (one) =>
        one['status'] === 400 &&
        one['client'] !== undefined &&
        JSON.stringify(one['refused']).includes('malformed'),
    );
    expect(line).toMatchObject({ route: 'kinds.Chat', method: 'GET' });
  });

  it('of a foreign page needs a credential, or to be listed', async () => {
    const foreign = { headers: { origin: 'https://evil.example' } };
    expect(await refused('/test/chat/x', foreign)).toMatchObject({ status: 403, code: 'permission-denied' });
    expect(await refused('/test/chat/x', { headers: { origin: 'null' } })).toMatchObject({ status: 403 });
    (await open('/test/chat/x', { headers: { origin: gateway.url } })).socket.close();
    await withGateway(config('webSocket: { origins: ["https://app.example"] }'), async ({ url }) => {
      (await open('/test/chat/x', { url, headers: { origin: 'https://app.example' } })).socket.close();
    });
  });

  it('may carry a token among its subprotocols, which is never named', async () => {
    await withGateway(config('', 'authentication: { schemes: [jwt, apiKey] }'), async ({ url }) => {
      const protocols = ['grpc.json', 'bearer.nonsense'];
      expect(await refused('/test/chat/x', { url, protocols })).toMatchObject({
        status: 401,
        code: 'credentials-invalid',
      });
    });
    const { socket } = await open('/test/chat/x', { protocols: ['bearer.a.b.c', 'grpc.json'] });
    expect(socket.protocol).toBe('grpc.json');
    socket.close();
  });

  it('is refused beyond the number of sockets, and not offered where it is off', async () => {
    await withGateway(config('webSocket: { sockets: 1 }'), async ({ url }) => {
      const first = await open('/test/chat/x', { url });
      expect(await refused('/test/chat/x', { url })).toMatchObject({ status: 429, code: 'rate-limited' });
      first.socket.close();
    });
  });
});
