import { describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { speak } from '../support/client.ts';
import { KINDS_KEY, until, useServedKinds } from '../support/kinds-gateway.ts';
import { connect, open, refused, type SocketClient } from '../support/socket-client.ts';

const behind = useServedKinds();

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
    behind.kinds.server.refusal = { code, details: 'secret' };
    const { socket, messages, problems, closed } = await open('/test/chat/x', { url: behind.kinds.url });
    socket.send('{}');
    expect(await closed).toEqual({ code: closeCode, reason });
    expect(messages).toEqual([]);
    expect(problems).toMatchObject([{ code: reason, status: closeCode - 4000 }]);
    expect(JSON.stringify(problems)).not.toContain('secret');
  });

  it('breaks off a stream after the messages before', async () => {
    behind.kinds.server.refusal = { code: status.DATA_LOSS, details: 'secret' };
    const { messages, closed } = await open('/test/count/9?failAfter=2', { url: behind.kinds.url });
    expect(await closed).toEqual({ code: 4502, reason: 'upstream-response-invalid' });
    expect(messages).toHaveLength(2);
    const lines = await behind.kinds.gateway.linesWhere(
      (one) => one['path'] === '/test/count/9?failAfter=' && one['refused'] !== undefined,
    );
    expect(lines).toMatchObject([{ status: 101, refused: { code: 'upstream-response-invalid' } }]);
  });

  it.each([
    ['{"number":', 'Message 1 is not valid.'],
    ['{"nope":1}', 'Message 1 is not valid.'],
    ['[]', 'Message 1 is not valid.'],
  ])('names what is wrong with %s', async (frame, detail) => {
    const { socket, problems, closed } = await open('/test/chat/x', { url: behind.kinds.url });
    socket.send(frame);
    expect(await closed).toEqual({ code: 4400, reason: 'request-invalid' });
    expect(problems).toMatchObject([{ detail, errors: [expect.anything()] }]);
    await until(() => behind.kinds.server.cancelled === 1 || behind.kinds.server.calls === 0);
  });

  it('refuses binary frames, and frames that are too large', async () => {
    const binary = await open('/test/chat/x', { url: behind.kinds.url });
    binary.socket.send(Buffer.from('{}'));
    expect((await binary.closed).code).toBe(1003);
    await behind.kinds.withAnother({ grpc: 'maxLine: 100B' }, async ({ url }) => {
      const large = await open('/test/chat/x', { url });
      large.socket.send(JSON.stringify({ note: 'x'.repeat(200) }));
      expect((await large.closed).code).toBe(1009);
    });
  });

  it('closes an idle socket, one that is too old, and all of them when it leaves', async () => {
    await behind.kinds.withAnother({ grpc: 'webSocket: { idle: 200ms }' }, async ({ url }) => {
      expect(await (await open('/test/chat/x', { url })).closed).toEqual({ code: 1001, reason: 'Idle' });
    });
    await behind.kinds.withAnother({ grpc: 'webSocket: { maxAge: 200ms }' }, async ({ url }) => {
      expect(await (await open('/test/chat/x', { url })).closed).toEqual({ code: 1012, reason: 'Too old' });
    });
    let leaving: SocketClient | undefined;
    await behind.kinds.withAnother({}, async ({ url }) => {
      leaving = await open('/test/chat/x', { url });
    });
    expect(await leaving?.closed).toEqual({ code: 1001, reason: 'Going away' });
    await until(() => behind.kinds.server.cancelled === 3);
  });

  it('has no deadline', async () => {
    await behind.kinds.withAnother({ policies: 'deadline: 150ms' }, async ({ url }) => {
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
    const authentication = '{ schemes: [apiKey] }';
    const policies = 'rateLimit: { key: principal, rate: 1, per: 1d }';
    await behind.kinds.withAnother({ authentication, policies }, async (other) => {
      const { url } = other;
      expect(await refused('/test/chat/x', { url })).toMatchObject({
        status: 401,
        code: 'credentials-missing',
      });
      const headers = { 'x-api-key': KINDS_KEY };
      const client = connect('/test/chat/x', { url, headers });
      const [response] = (await once(client.socket, 'upgrade')) as [IncomingMessage];
      expect(response.headers['x-request-id']).toEqual(expect.any(String));
      client.socket.close();
      await client.closed;
      const limited = await refused('/test/chat/x', { url, headers });
      expect(limited).toMatchObject({ status: 429, code: 'rate-limited' });
      expect(limited.head['retry-after']).toEqual(expect.any(String));
      expect(behind.kinds.server.calls).toBe(1);
      const lines = await other.accessLines(3);
      expect(lines.map((line) => line['status'])).toEqual([401, 101, 429]);
    });
  });

  it('is refused while the breaker of every target is open', async () => {
    await behind.kinds.withAnother(
      { upstream: 'circuitBreaker: { consecutiveFailures: 1, openFor: 1h }' },
      async ({ url }) => {
        behind.kinds.server.refusal = { code: status.UNAVAILABLE, details: '' };
        await (
          await open('/test/count/1', { url })
        ).closed;
        expect(await refused('/test/count/1', { url })).toMatchObject({ status: 503, code: 'circuit-open' });
      },
    );
  });

  it('is refused for what no message could mend', async () => {
    expect(await refused('/test/talk/x?nope=1', { url: behind.kinds.url })).toMatchObject({
      status: 400,
      code: 'request-invalid',
    });
    expect(await refused('/test/count/many', { url: behind.kinds.url })).toMatchObject({
      status: 400,
      code: 'request-invalid',
    });
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
    const answer = await speak(behind.kinds.url, lines.join('\r\n'));
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain('"code":"request-malformed"');
    const [line] = await behind.kinds.gateway.linesWhere(
      (one) =>
        one['status'] === 400 &&
        one['client'] !== undefined &&
        JSON.stringify(one['refused']).includes('malformed'),
    );
    expect(line).toMatchObject({ route: 'kinds.Chat', method: 'GET' });
  });

  it('of a foreign page needs a credential, or to be listed', async () => {
    const foreign = { headers: { origin: 'https://evil.example' } };
    expect(await refused('/test/chat/x', { url: behind.kinds.url, ...foreign })).toMatchObject({
      status: 403,
      code: 'permission-denied',
    });
    expect(
      await refused('/test/chat/x', { url: behind.kinds.url, headers: { origin: 'null' } }),
    ).toMatchObject({ status: 403 });
    (
      await open('/test/chat/x', { url: behind.kinds.url, headers: { origin: behind.kinds.url } })
    ).socket.close();
    await behind.kinds.withAnother(
      { grpc: 'webSocket: { origins: ["https://app.example"] }' },
      async ({ url }) => {
        (await open('/test/chat/x', { url, headers: { origin: 'https://app.example' } })).socket.close();
      },
    );
  });

  it('may carry a token among its subprotocols, which is never named', async () => {
    await behind.kinds.withAnother({ authentication: '{ schemes: [jwt, apiKey] }' }, async ({ url }) => {
      const protocols = ['grpc.json', 'bearer.nonsense'];
      expect(await refused('/test/chat/x', { url, protocols })).toMatchObject({
        status: 401,
        code: 'credentials-invalid',
      });
    });
    const { socket } = await open('/test/chat/x', {
      url: behind.kinds.url,
      protocols: ['bearer.a.b.c', 'grpc.json'],
    });
    expect(socket.protocol).toBe('grpc.json');
    socket.close();
  });

  it('is refused beyond the number of sockets, and not offered where it is off', async () => {
    await behind.kinds.withAnother({ grpc: 'webSocket: { sockets: 1 }' }, async ({ url }) => {
      const first = await open('/test/chat/x', { url });
      expect(await refused('/test/chat/x', { url })).toMatchObject({ status: 429, code: 'rate-limited' });
      first.socket.close();
    });
  });
});
