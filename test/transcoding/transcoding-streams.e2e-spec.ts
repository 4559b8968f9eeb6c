import { describe, expect, it } from '@jest/globals';
import { Metadata, status } from '@grpc/grpc-js';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { call, open } from '../support/client.ts';
import { until, useServedKinds, type Invalid } from '../support/kinds-gateway.ts';
import { KindsServer } from '../support/kinds-server.ts';

const behind = useServedKinds();
const JSON_TYPE = { 'content-type': 'application/json' };
const LINES = { 'content-type': 'application/x-ndjson' };

describe('server streams', () => {
  it.each([
    [undefined, 'application/json', '[{"number":"1"},{"number":"2"}]'],
    ['*/*', 'application/json', '[{"number":"1"},{"number":"2"}]'],
    ['text/html', 'application/json', '[{"number":"1"},{"number":"2"}]'],
    ['application/x-ndjson', 'application/x-ndjson', '{"number":"1"}\n{"number":"2"}\n'],
    ['application/json;q=0.5, application/jsonl', 'application/x-ndjson', '{"number":"1"}\n{"number":"2"}\n'],
    ['text/event-stream', 'text/event-stream', ': open\n\ndata: {"number":"1"}\n\ndata: {"number":"2"}\n\n'],
  ])('answers Accept %s with %s', async (accept, type, text) => {
    const answer = await call(`${behind.kinds.url}/test/count/2`, {
      headers: accept === undefined ? {} : { accept },
    });
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([200, type, text]);
  });

  it('answers an empty stream with an empty list', async () => {
    expect((await call(`${behind.kinds.url}/test/count/0`)).text).toBe('[]');
  });

  it('sends each message as it comes', async () => {
    let release = (): void => undefined;
    behind.kinds.server.hold = new Promise((resolve) => (release = resolve));
    const answer = await open(`${behind.kinds.url}/test/count/2`, {
      headers: { accept: 'text/event-stream' },
    });
    const first = await new Promise<string>((resolve) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes('"1"')) resolve(text);
      });
    });
    expect(first).not.toContain('"2"');
    release();
    await new Promise((resolve) => answer.once('end', resolve));
  });

  it('tells that the stream is open before its first message', async () => {
    let release = (): void => undefined;
    behind.kinds.server.hold = new Promise((resolve) => (release = resolve));
    behind.kinds.server.header = new Metadata();
    const answer = await open(`${behind.kinds.url}/test/count/1`, {
      headers: { accept: 'application/x-ndjson' },
    });
    expect(answer.statusCode).toBe(200);
    release();
    answer.resume();
    await new Promise((resolve) => answer.once('end', resolve));
  });

  it('holds the upstream back when the client reads no further, and cancels it when the client goes', async () => {
    const answer = await open(`${behind.kinds.url}/test/count/100000?padding=10000`, {
      headers: { accept: 'application/x-ndjson' },
    });
    answer.pause();
    let before = -1;
    while (behind.kinds.server.written !== before) {
      before = behind.kinds.server.written;
      await sleep(150);
    }
    expect(behind.kinds.server.written).toBeLessThan(50_000);
    answer.destroy();
    await until(() => behind.kinds.server.cancelled === 1);
  });

  it('answers a problem as long as nothing was sent', async () => {
    behind.kinds.server.refusal = { code: status.NOT_FOUND, details: 'secret' };
    const answer = await call(`${behind.kinds.url}/test/count/2`);
    expect([answer.status, answer.json()['code'], answer.text.includes('secret')]).toEqual([
      404,
      'resource-not-found',
      false,
    ]);
  });

  it('cuts a stream that fails on its way, and names the problem in SSE', async () => {
    const path = `${behind.kinds.url}/test/count/5?failAfter=2`;
    await expect(call(path, { headers: { accept: 'application/x-ndjson' } })).rejects.toThrow();
    await expect(call(path)).rejects.toThrow();
    const told = await call(path, { headers: { accept: 'text/event-stream' } });
    expect(told.text).toMatch(
      /data: \{"number":"2"\}\n\nevent: problem\ndata: \{.*"code":"upstream-rejected".*\}\n\n$/,
    );
    expect(told.text).not.toContain('secret');
  });

  it('ends a stream that has fallen silent', async () => {
    let release = (): void => undefined;
    behind.kinds.server.hold = new Promise((resolve) => (release = resolve));
    await behind.kinds.withAnother({ upstream: 'timeouts: { idle: 100ms }' }, async ({ url }) => {
      const answer = await call(`${url}/test/count/2`, { headers: { accept: 'text/event-stream' } });
      expect(answer.text).toContain('"code":"upstream-timeout"');
      await until(() => behind.kinds.server.cancelled === 1);
    });
    release();
  });

  it('answers 504 when a stream does not open', async () => {
    let release = (): void => undefined;
    behind.kinds.server.hold = new Promise((resolve) => (release = resolve));
    await behind.kinds.withAnother(
      { policies: 'deadline: 5s', upstream: 'timeouts: { firstByte: 100ms }' },
      async ({ url }) => {
        // Without ticks nothing is said before the end.
        behind.kinds.server.hold = undefined;
        expect((await call(`${url}/test/count/0`)).status).toBe(200);
      },
    );
    release();
  });

  it('asks another target when the first one is gone', async () => {
    const gone = await new KindsServer().start();
    gone.stop();
    await behind.kinds.withAnother(
      { target: `${gone.url}', '${behind.kinds.server.url}` },
      async ({ url }) => {
        for (let i = 0; i < 4; i += 1)
          expect((await call(`${url}/test/count/1`)).text).toBe('[{"number":"1"}]');
      },
    );
  });

  it('ends a HEAD with the head', async () => {
    const answer = await call(`${behind.kinds.url}/test/count/100000`, { method: 'HEAD' });
    expect([answer.status, answer.text]).toEqual([200, '']);
    await until(() => behind.kinds.server.cancelled === 1);
  });
});

describe('client streams', () => {
  const upload = (body: string, headers: Record<string, string> = LINES, url = behind.kinds.url) =>
    call(`${url}/test/sum`, { method: 'POST', headers, body });

  it.each([
    ['lines', '{"number":1}\n{"number":"2"}\n', { to: 3, padding: 2 }],
    [
      'a last line without its end, blank lines and CRLF',
      '{"number":1}\r\n\r\n\n{"number":"2"}',
      { to: 3, padding: 2 },
    ],
    ['nothing', '', {}],
  ])('takes %s', async (_, body, expected) => {
    expect((await upload(body)).json()).toEqual(expected);
  });

  it('takes lines that come in pieces', async () => {
    const outgoing = request(`${behind.kinds.url}/test/sum`, { method: 'POST', headers: LINES });
    const answered = new Promise<string>((resolve) =>
      outgoing.once('response', (incoming) =>
        incoming.on('data', (chunk: Buffer) => resolve(chunk.toString())),
      ),
    );
    for (const piece of ['{"num', 'ber":1}\n{"note":"\u00fc', '","number":', '4}\n']) {
      outgoing.write(piece);
      await sleep(10);
    }
    outgoing.end();
    expect(await answered).toBe('{"to":5,"padding":2}');
  });

  it('takes a large upload in order and no faster than the service', async () => {
    const lines = Array.from({ length: 20_000 }, () => '{"number":1}').join('\n');
    expect((await upload(lines)).json()).toEqual({ to: 20_000, padding: 20_000 });
    const coded = { ...LINES, 'content-encoding': 'gzip' };
    const answer = await call(`${behind.kinds.url}/test/sum`, {
      method: 'POST',
      headers: coded,
      body: gzipSync(lines),
    });
    expect(answer.json()).toEqual({ to: 20_000, padding: 20_000 });
  });

  it('says which line is wrong, and cancels the call', async () => {
    const answer = await upload('{"number":1}\n{"number":"x"}\n{"number":1}\n');
    expect(answer.status).toBe(400);
    expect(answer.json<Invalid>()).toMatchObject({
      code: 'request-invalid',
      detail: 'Line 2 is not valid.',
      errors: [{ pointer: '/1/number', message: 'expected a whole number of 64 bits' }],
    });
    // A call that was cancelled before it was sent has never been one to the service.
    await until(() => behind.kinds.server.cancelled === behind.kinds.server.calls);
  });

  it('answers 413 to a line or a body that is too long', async () => {
    await behind.kinds.withAnother(
      { grpc: 'maxLine: 100B', policies: 'bodyLimit: 1KiB' },
      async ({ url }) => {
        const long = await upload(`{"note":"${'x'.repeat(100)}"}`, LINES, url);
        expect([long.status, long.json<Invalid>().detail]).toEqual([413, 'Line 1 is too long.']);
        const chunked = { ...LINES, 'transfer-encoding': 'chunked' };
        expect((await upload('{"number":1}\n'.repeat(100), chunked, url)).status).toBe(413);
      },
    );
  });

  it('skips 10 000 blank lines in a row and no more, of which few compressed bytes can stand for gigabytes', async () => {
    const lines = '\n'.repeat(10_000);
    expect((await upload(`${lines}{"number":1}\n${lines}{"number":2}`)).status).toBe(200);
    const more = await upload(`{"number":1}\n${lines}\n`);
    expect([more.status, more.json<Invalid>().detail]).toEqual([
      400,
      'Line 10002 is one blank line too many.',
    ]);
  });

  it('takes nothing but NDJSON', async () => {
    expect((await upload('{}', JSON_TYPE)).status).toBe(415);
    expect((await upload('{}', {})).status).toBe(415);
  });

  it('answers what the service refuses before it was sent everything', async () => {
    behind.kinds.server.refusal = { code: status.FAILED_PRECONDITION, details: 'secret' };
    const outgoing = request(`${behind.kinds.url}/test/sum`, { method: 'POST', headers: LINES });
    outgoing.on('error', () => undefined);
    outgoing.write('{"number":1}\n');
    const answer = await new Promise<number | undefined>((resolve) =>
      outgoing.once('response', (incoming) => resolve(incoming.statusCode)),
    );
    expect(answer).toBe(400);
    outgoing.destroy();
  });

  it('cancels the call when the client breaks off', async () => {
    const outgoing = request(`${behind.kinds.url}/test/sum`, { method: 'POST', headers: LINES });
    outgoing.on('error', () => undefined);
    outgoing.write('{"number":1}\n');
    await until(() => behind.kinds.server.calls === 1);
    outgoing.destroy();
    await until(() => behind.kinds.server.cancelled === 1);
  });
});

describe('bidirectional streams', () => {
  it('answers messages while others are still to be sent', async () => {
    const agent = new Agent({ keepAlive: false });
    const headers = { ...LINES, accept: 'application/x-ndjson' };
    const outgoing = request(`${behind.kinds.url}/test/chat/hi`, { method: 'POST', headers, agent });
    const heard: string[] = [];
    const ended = new Promise((resolve) =>
      outgoing.once('response', (incoming) => {
        incoming.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
        incoming.once('end', resolve);
      }),
    );
    outgoing.write('{"number":1}\n');
    await until(() => heard.length === 1);
    expect(heard[0]).toBe('{"number":"2","note":"hi"}\n');
    outgoing.end('{"number":4,"note":"mine"}\n');
    await ended;
    expect(heard.join('')).toBe('{"number":"2","note":"hi"}\n{"number":"8","note":"hi"}\n');
  });
});
