import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { call, open } from '../support/client.ts';
import { startPeer, type PeerCall } from '../support/grpc-peer.ts';
import { usePeerGateway } from '../support/peer-gateway.ts';
import { useShop } from '../support/shop.ts';

/** A service that shares nothing with the gateway but the protocol: Python, and Google's own gRPC. */
const behind = usePeerGateway({
  grpc: 'metadata: { request: [x-tag, data-bin], response: [x-answer, x-trailer, raw-bin] }',
});

const JSON_TYPE = { 'content-type': 'application/json' };
const LINES = { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' };

/** A relay before the service that counts what comes from there. */
async function startRelay(port: number): Promise<{ url: string; relayed(): number; stop(): Promise<void> }> {
  let bytes = 0;
  const server = createServer((socket) => {
    const behind = connect(port, '127.0.0.1');
    behind.on('data', (chunk) => (bytes += chunk.length)).on('error', () => socket.destroy());
    socket.on('error', () => behind.destroy());
    socket.pipe(behind).pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `grpc://127.0.0.1:${(server.address() as AddressInfo).port}`,
    relayed: () => bytes,
    stop: async () => void (await once(server.close(), 'close')),
  };
}

const ended = (calls: readonly PeerCall[]): boolean =>
  calls.length > 0 && calls.every(({ end }) => end !== 'open');

const EVERYTHING = {
  doubleValue: 1.5, floatValue: -0.25, int32Value: -7, int64Value: '-9223372036854775808', uint32Value: 4294967295,
  uint64Value: '18446744073709551615', sint32Value: -2147483648, sint64Value: '9223372036854775807', fixed32Value: 1,
  fixed64Value: '2', sfixed32Value: -3, sfixed64Value: '-4', boolValue: true, stringValue: 'grüße 👋', bytesValue: '+/8=',
  color: 'COLOR_GREEN', nested: { name: 'n', numbers: [1, 2], deep: { id: '5', flag: true } }, maybe: 0,
  chosenNested: { name: 'c' }, int32List: [1, -2], stringList: ['', 'x'], colorList: ['COLOR_RED', 9], nestedList: [{}, { name: 'l' }],
  bytesList: ['AQ==', ''], counts: { '': '1', 'a/b': '-2' }, nestedMap: { '-7': { name: 'm' } }, colorMap: { true: 'COLOR_RED' },
  timestamp: '2026-01-02T03:04:05.000006Z', duration: '-1.500s', mask: 'a.b,cDe', struct: { k: [1, null, 'x', { y: true }] },
  value: [null, 1.5], listValue: ['l'], any: { '@type': 'type.googleapis.com/google.protobuf.Duration', value: '1s' }, empty: {},
  doubleWrapper: 'NaN', floatWrapper: 0.5, int32Wrapper: 0, int64Wrapper: '5', uint32Wrapper: 5, uint64Wrapper: '6',
  boolWrapper: false, stringWrapper: '', bytesWrapper: '', self: { self: { int32Value: 1 } }, otherName: 'r',
  timestampList: ['1970-01-01T00:00:00Z'],
}; // prettier-ignore

describe('a service in Python', () => {
  it('is sent and answers every kind of field', async () => {
    const answer = await call(`${behind.kinds.url}/test/echo`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify(EVERYTHING),
    });
    expect([answer.status, answer.json()]).toEqual([200, EVERYTHING]);
    expect(await behind.kinds.received('test.v1.AllKinds')).toEqual([EVERYTHING]);
  });

  it('streams its answer', async () => {
    const { text } = await call(`${behind.kinds.url}/test/count/3`, { headers: LINES });
    expect(text).toBe('{"number":"1"}\n{"number":"2"}\n{"number":"3"}\n');
  });

  it('takes an upload', async () => {
    const body = '{"number":"1"}\n{"number":2}\n';
    const answer = await call(`${behind.kinds.url}/test/sum`, { method: 'POST', headers: LINES, body });
    expect(answer.json()).toEqual({ to: 3, padding: 2 });
    expect(await behind.kinds.received('test.v1.Tick')).toEqual([{ number: '1' }, { number: '2' }]);
  });

  it('talks while it listens', async () => {
    const heard: string[] = [];
    const outgoing = request(`${behind.kinds.url}/test/chat/hi`, { method: 'POST', headers: LINES });
    const over = new Promise((resolve) =>
      outgoing.once('response', (incoming) => {
        incoming.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
        incoming.once('end', resolve);
      }),
    );
    for (const number of [1, 2, 3]) {
      outgoing.write(`{"number":${number}}\n`);
      while (heard.length < number) await sleep(5);
    }
    outgoing.end();
    await over;
    expect(heard.join('')).toBe([2, 4, 6].map((n) => `{"number":"${n}","note":"hi"}\n`).join(''));
    expect((await behind.kinds.peer.callsWhen(ended)).map(({ end }) => end)).toEqual(['answered']);
  });

  it('is told the deadline and sees the call end with it', async () => {
    await behind.kinds.peer.behave({ hold: true });
    await behind.kinds.withAnother({ policies: 'deadline: 300ms' }, async ({ url }) => {
      const answer = await call(`${url}/test/items/a`);
      expect([answer.status, answer.json()['code']]).toEqual([504, 'deadline-exceeded']);
      const [only] = await behind.kinds.peer.callsWhen(ended);
      expect(only?.remainingMs).toBeLessThanOrEqual(300);
      expect(['deadline', 'cancelled']).toContain(only?.end);
    });
  });

  it.each(['/test/items/a', '/test/count/5'])('sees %s cancelled when the client goes away', async (path) => {
    await behind.kinds.peer.behave({ hold: true });
    const outgoing = request(behind.kinds.url + path).on('error', () => undefined);
    outgoing.end();
    await behind.kinds.peer.callsWhen((calls) => calls.length === 1);
    outgoing.destroy();
    expect((await behind.kinds.peer.callsWhen(ended)).map(({ end }) => end)).toEqual(['cancelled']);
  });

  it('sees an upload cancelled when the client breaks off', async () => {
    const outgoing = request(`${behind.kinds.url}/test/sum`, { method: 'POST', headers: LINES });
    outgoing.on('error', () => undefined).write('{"number":1}\n');
    await behind.kinds.peer.callsWhen(([first]) => first?.requests.length === 1);
    outgoing.destroy();
    expect((await behind.kinds.peer.callsWhen(ended)).map(({ end }) => end)).toEqual(['cancelled']);
  });

  it('exchanges metadata and trailers, bytes too', async () => {
    await behind.kinds.peer.behave({
      header: [['x-answer', 'a'], ['x-hidden', 'h']],
      trailer: [['x-trailer', 't'], ['raw-bin', 'AQL/'], ['x-secret', 's']],
    }); // prettier-ignore
    const headers = { 'x-tag': 't', 'data-bin': '/wA=', 'x-other': 'o', 'X-User-Id': 'forged' };
    const answer = await call(`${behind.kinds.url}/test/items/a`, { headers });
    expect(answer.headers).toMatchObject({ 'x-answer': 'a', 'x-trailer': 't', 'raw-bin': 'AQL/' });
    for (const name of ['x-hidden', 'x-secret']) expect(answer.headers).not.toHaveProperty(name);
    const sent = Object.fromEntries((await behind.kinds.peer.calls())[0]?.metadata ?? []);
    expect(sent).toMatchObject({
      'x-tag': 't',
      'data-bin': '/wA=',
      'x-request-id': answer.headers['x-request-id'],
    });
    for (const name of ['x-other', 'x-user-id']) expect(sent).not.toHaveProperty(name);
  });

  it('may compress what it answers, and is sent what a client has compressed', async () => {
    await behind.kinds.peer.behave({ gzip: true });
    const relay = await startRelay(behind.kinds.peer.port);
    const message = { stringValue: 'x'.repeat(1_000_000) };
    const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    const body = gzipSync(JSON.stringify(message));
    await behind.kinds.withAnother({ target: relay.url }, async ({ url }) => {
      const answer = await call(`${url}/test/echo`, { method: 'POST', headers, body });
      expect([answer.status, answer.json()]).toEqual([200, message]);
      const streamed = await call(`${url}/test/count/3?padding=100000`, { headers: LINES });
      expect(streamed.text.split('\n').map((line) => line.length)).toEqual([100_024, 100_024, 100_024, 0]);
      // 1.3 MB on their way from the service, had they not been compressed.
      expect(relay.relayed()).toBeLessThan(100_000);
    });
    await relay.stop();
  });

  it('is found again after it was killed and started anew', async () => {
    const first = await startPeer();
    await behind.kinds.withAnother({ target: first.url }, async ({ url }) => {
      expect((await call(`${url}/test/items/a`)).status).toBe(200);
      expect((await call(`${url}/test/count/1`)).status).toBe(200);
      await first.stop();
      expect((await call(`${url}/test/items/a`)).json()['code']).toBe('upstream-unreachable');
      const second = await startPeer({ port: first.port });
      for (const path of ['/test/items/a', '/test/count/1']) {
        while ((await call(url + path)).status !== 200) await sleep(20);
      }
      await second.stop();
    });
  });

  it('may end while it streams: the client is told by a cut', async () => {
    const dying = await startPeer();
    await dying.behave({ hold: true });
    await behind.kinds.withAnother({ target: dying.url }, async ({ url }) => {
      const answer = await open(`${url}/test/count/3`, { headers: LINES });
      expect((await once(answer, 'data')).toString()).toBe('{"number":"1"}\n');
      const cut = once(answer, 'error');
      await dying.stop();
      expect(String((await cut)[0])).toContain('aborted');
    });
  });

  it('refuses with details that become the problem', async () => {
    const type = 'type.googleapis.com/google.rpc.';
    const rich = JSON.stringify({
      code: 3,
      message: 'secret of db-7',
      details: [
        {
          '@type': `${type}BadRequest`,
          fieldViolations: [{ field: 'nested_list[1].name', description: 'is taken' }],
        },
        { '@type': `${type}RetryInfo`, retryDelay: '2.5s' },
        { '@type': `${type}ErrorInfo`, reason: 'NAME_TAKEN', domain: 'kinds.example' },
        { '@type': `${type}LocalizedMessage`, locale: 'en', message: 'That name is taken.' },
        { '@type': `${type}DebugInfo`, detail: 'secret detail' },
      ],
    });
    await behind.kinds.peer.behave({ status: { code: 'INVALID_ARGUMENT', details: 'secret of db-7', rich } });
    for (const [path, pointer] of [
      ['/test/items/a', '/nestedList/1/name'],
      ['/test/count/3', '/nested_list/1/name'],
    ] as const) {
      const answer = await call(behind.kinds.url + path);
      expect([answer.status, answer.headers['retry-after']]).toEqual([400, '3']);
      expect(answer.json()).toMatchObject({
        code: 'request-invalid',
        detail: 'That name is taken.',
        reason: 'NAME_TAKEN',
        domain: 'kinds.example',
        errors: [{ pointer, message: 'is taken' }],
      });
      expect(answer.text).not.toContain('secret');
    }
  });

  it.each([
    ['NOT_FOUND', 404], ['ALREADY_EXISTS', 409], ['PERMISSION_DENIED', 403], ['RESOURCE_EXHAUSTED', 429],
    ['FAILED_PRECONDITION', 400], ['ABORTED', 409], ['OUT_OF_RANGE', 400], ['UNIMPLEMENTED', 501], ['INTERNAL', 502],
    ['UNAVAILABLE', 502], ['DATA_LOSS', 502], ['UNAUTHENTICATED', 502], ['UNKNOWN', 502], ['CANCELLED', 502],
    ['DEADLINE_EXCEEDED', 504],
  ])('refuses with %s, which is %i', async (code, http) => {
    await behind.kinds.peer.behave({ status: { code, details: 'secret of db-7' } });
    const answer = await call(`${behind.kinds.url}/test/items/a`);
    expect([answer.status, answer.text.includes('secret')]).toEqual([http, false]);
  }); // prettier-ignore

  it('exchanges messages of megabytes, and none that are larger than gRPC takes', async () => {
    const megabytes = (count: number) => JSON.stringify({ stringValue: 'x'.repeat(count * 2 ** 20) });
    const echo = (body: string) =>
      call(`${behind.kinds.url}/test/echo`, { method: 'POST', headers: JSON_TYPE, body });
    const large = megabytes(3);
    expect((await echo(large)).text).toBe(large);
    expect((await echo(megabytes(5))).status).toBe(413);
    const [message] = await behind.kinds.peer.parse('test.v1.AllKinds', [megabytes(5)]);
    await behind.kinds.peer.behave({ answer: message?.toString('base64') ?? '' });
    const answer = await echo('{}');
    expect([answer.status, answer.json()['code']]).toEqual([502, 'upstream-response-invalid']);
  });
});

describe('calls of code to a service in Python', () => {
  const holder = useShop({
    upstreams: () => ({
      orders: { protocol: 'grpc', targets: [behind.kinds.peer.url], circuitBreaker: 'off' },
    }),
  });
  const ORDERS = '/api/v1/orders';

  it('carry messages, identity and deadline', async () => {
    const created = await holder.shop.call(ORDERS, {
      as: 'user',
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify({ items: [{ sku: 'BOOK-1', quantity: 2 }], note: 'für Ada' }),
    });
    expect(created.status).toBe(201);
    expect(created.json()).toMatchObject({
      userId: '2',
      status: 'pending',
      totalCents: '18014398509481985',
      note: 'für Ada',
    });
    const shown = await holder.shop.call(String(created.headers['location']), { as: 'user' });
    expect(shown.json()).toEqual(created.json());
    const calls = await behind.kinds.peer.calls();
    expect(calls.map(({ method, end }) => [method, end])).toEqual([
      ['CreateOrder', 'answered'],
      ['GetOrder', 'answered'],
    ]);
    expect(Object.fromEntries(calls[0]?.metadata ?? [])).toMatchObject({
      'x-user-id': '2',
      'x-user-roles': 'user',
    });
    expect(calls[0]?.remainingMs).toBeGreaterThan(0);
  });

  it('become problems without the words of the service when they are refused', async () => {
    const answer = await holder.shop.call(`${ORDERS}/py-77`, { as: 'user' });
    expect([answer.status, answer.json()['code'], answer.text.includes('SELECT')]).toEqual([
      404,
      'resource-not-found',
      false,
    ]);
  });

  it('understand compressed answers, and details of what is refused', async () => {
    await behind.kinds.peer.behave({ gzip: true });
    const body = JSON.stringify({ items: [{ sku: 'MUG-3', quantity: 1 }], note: 'x'.repeat(500) });
    const options = { as: 'user', method: 'POST', headers: JSON_TYPE, body } as const;
    const created = await holder.shop.call(ORDERS, options);
    expect([created.status, created.json()['note']]).toEqual([201, 'x'.repeat(500)]);
    await behind.kinds.peer.behave({ status: { code: 'RESOURCE_EXHAUSTED', details: 'secret of db-7' } });
    const refused = await holder.shop.call(ORDERS, options);
    expect([refused.status, refused.text.includes('secret')]).toEqual([429, false]);
  });

  it('end when the client goes away', async () => {
    await behind.kinds.peer.behave({ hold: true });
    const token = await holder.shop.services.identity.token('user');
    const outgoing = request(holder.shop.gateway.url + ORDERS, {
      headers: { authorization: `Bearer ${token}` },
    });
    outgoing.on('error', () => undefined).end();
    await behind.kinds.peer.callsWhen((calls) => calls.length === 1);
    outgoing.destroy();
    expect((await behind.kinds.peer.callsWhen(ended)).map(({ end }) => end)).toEqual(['cancelled']);
  });
});
