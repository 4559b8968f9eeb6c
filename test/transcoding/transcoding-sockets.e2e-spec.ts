import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../support/client.ts';
import { until, useServedKinds } from '../support/kinds-gateway.ts';
import { connect, open } from '../support/socket-client.ts';

const behind = useServedKinds();

describe('a call with both streams, over a WebSocket', () => {
  it('answers each message while others are sent, and ends with an empty frame', async () => {
    const { socket, messages, closed } = await open('/test/chat/hi', { url: behind.kinds.url });
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
    const [line] = await behind.kinds.gateway.linesWhere((one) => one['route'] === 'kinds.Chat');
    expect(line).toMatchObject({ status: 101, method: 'GET', upstream: 'kinds', bytes: 68 });
    expect(line).not.toHaveProperty('cut');
  });

  it('takes the fields of its query as defaults where the binding is a GET', async () => {
    const { socket, messages, closed } = await open('/test/talk/hi?number=7', { url: behind.kinds.url });
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
    const polite = await open('/test/chat/x', { url: behind.kinds.url });
    await until(() => behind.kinds.server.calls === 1);
    polite.socket.close();
    await until(() => behind.kinds.server.cancelled === 1);
    const rude = await open('/test/chat/x', { url: behind.kinds.url });
    await until(() => behind.kinds.server.calls === 2);
    rude.socket.terminate();
    await until(() => behind.kinds.server.cancelled === 2);
  });

  it('masks fields of each message, and carries what metadata may pass', async () => {
    const grpc = 'metadata: { request: [x-team, x-other] }';
    const policies = 'transform: { response: { maskFields: [note] } }';
    await behind.kinds.withAnother({ grpc, policies }, async ({ url }) => {
      const { socket, messages } = await open('/test/chat/secret', { url, headers: { 'x-team': 'blue' } });
      socket.send('{"number":1}');
      await until(() => messages.length === 1);
      expect(JSON.stringify(messages)).not.toContain('secret');
      expect(behind.kinds.server.lastMetadata?.getMap()).toMatchObject({
        'x-team': 'blue',
        'x-request-id': expect.any(String),
      });
      socket.close();
    });
  });

  it('asks another target while nothing was said', async () => {
    const target = `grpc://127.0.0.1:1', '${behind.kinds.server.url}`;
    await behind.kinds.withAnother({ target, upstream: 'circuitBreaker: off' }, async ({ url }) => {
      // One of the two meets the dead target first.
      for (const number of [1, 2]) {
        const { socket, messages, closed } = await open('/test/chat/x', { url });
        await until(() => behind.kinds.server.calls === number);
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
        (await call(`${behind.kinds.gateway.adminUrl}/metrics`)).text,
      )?.[1];
    const { socket, closed } = await open('/test/chat/x', { url: behind.kinds.url });
    expect(await metric()).toBe('1');
    socket.close();
    await closed;
    expect(await metric()).toBe('0');
  });
});

describe('other streams over a WebSocket', () => {
  it('sends what a server streams, without a word of the client', async () => {
    const { messages, closed } = await open('/test/count/3', { url: behind.kinds.url });
    expect(await closed).toEqual({ code: 1000, reason: '' });
    expect(messages).toEqual([{ number: '1' }, { number: '2' }, { number: '3' }]);
  });

  it('takes the one request of a stream from the first frame, where its binding has a body', async () => {
    const { socket, messages, closed } = await open('/test/count', { url: behind.kinds.url });
    socket.send('{"to":2}');
    expect(await closed).toEqual({ code: 1000, reason: '' });
    expect(messages).toEqual([{ number: '1' }, { number: '2' }]);
    const empty = await open('/test/count', { url: behind.kinds.url });
    empty.socket.send('');
    expect(await empty.closed).toEqual({ code: 4400, reason: 'request-invalid' });
    expect(empty.problems).toMatchObject([{ detail: 'Expected one message.' }]);
    let release: () => void = () => {};
    behind.kinds.server.hold = new Promise((resolve) => (release = resolve));
    const twice = await open('/test/count', { url: behind.kinds.url });
    twice.socket.send('{"to":2}');
    twice.socket.send('{"to":2}');
    expect(await twice.closed).toEqual({ code: 4400, reason: 'request-invalid' });
    release();
  });

  it('answers once what a client streams', async () => {
    const { socket, messages, closed } = await open('/test/sum', { url: behind.kinds.url });
    for (const number of [1, 2, 3]) socket.send(JSON.stringify({ number }));
    socket.send('');
    expect(await closed).toMatchObject({ code: 1000 });
    expect(messages).toEqual([{ to: 6, padding: 3 }]);
  });

  it('does not read on while the service does not', async () => {
    let release: () => void = () => {};
    behind.kinds.server.hold = new Promise((resolve) => (release = resolve));
    const { socket, messages, closed } = await open('/test/sum', { url: behind.kinds.url });
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
    const client = await open('/test/count/2000?padding=20000', { url: behind.kinds.url });
    client.socket.pause();
    await until(() => behind.kinds.server.written > 0);
    let before = -1;
    while (before !== behind.kinds.server.written) {
      before = behind.kinds.server.written;
      await sleep(200);
    }
    expect(behind.kinds.server.written).toBeLessThan(2000);
    client.socket.resume();
    expect(await client.closed).toMatchObject({ code: 1000 });
    expect(client.messages).toHaveLength(2000);
  });

  it('are still there as they were', async () => {
    const answer = await call(`${behind.kinds.url}/test/count/2`, {
      headers: { accept: 'application/x-ndjson' },
    });
    expect(answer.text).toBe('{"number":"1"}\n{"number":"2"}\n');
    const get = await call(`${behind.kinds.url}/test/chat/x`);
    expect([get.status, get.headers['allow']]).toEqual([405, 'POST']);
    const alone = await call(`${behind.kinds.url}/test/talk/x`);
    expect([alone.status, alone.headers['upgrade']]).toEqual([426, 'websocket']);
    // No `Connection: upgrade`, and so no upgrade.
    const half = await call(`${behind.kinds.url}/test/chat/x`, { headers: { upgrade: 'websocket' } });
    expect(half.status).toBe(426);
  });

  it('leave upgrades for other routes plain requests', async () => {
    const { socket } = connect('/test/items/7', { url: behind.kinds.url });
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(200);
    socket.terminate();
  });
});
