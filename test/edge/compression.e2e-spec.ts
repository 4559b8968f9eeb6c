import { Controller, Get, Header, Module, StreamableFile } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { OutgoingHttpHeaders, RequestListener } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliDecompressSync, createGunzip, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { Authentication } from '../../src/policies/authentication/authentication.policy.ts';
import { Compression } from '../../src/policies/compression/compression.policy.ts';
import { call, open, type Answer } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const TEXT = 'the same words over and over again. '.repeat(100);

@Controller('coded')
@Authentication('public')
@Compression({})
class CodedController {
  @Get('value')
  value(): object {
    return { text: TEXT };
  }

  @Get('text')
  @Header('etag', '"strong"')
  text(): string {
    return TEXT;
  }

  @Get('short')
  short(): string {
    return 'short';
  }

  @Get('nothing')
  @Header('content-type', 'text/plain')
  nothing(): void {}

  @Get('bytes')
  @Header('content-type', 'text/plain')
  bytes(): Buffer {
    return Buffer.from(TEXT);
  }

  @Get('stream')
  stream(): StreamableFile {
    return new StreamableFile(Readable.from([TEXT, TEXT]), { type: 'text/plain' });
  }
}

@Module({ controllers: [CodedController] })
class CodedModule {}

const running: { gateway?: TestGateway; service?: TestUpstream } = {};

beforeAll(async () => {
  const service = (running.service = await startUpstream());
  const route = (id: string, policies: object = {}, more: object = {}) => ({
    id,
    match: { path: `/${id}` },
    upstream: 'behind',
    policies: { authentication: 'public', compression: {}, ...policies },
    ...more,
  });
  running.gateway = await startGateway({
    config: JSON.stringify({
      version: 1,
      upstreams: { behind: { targets: [service.url], circuitBreaker: 'off', retry: { attempts: 1 } } },
      routes: [
        route('all'),
        route('edged', { compression: { minSize: '100B', types: ['text/plain'], codings: ['gzip'] } }),
        route('kept', { cache: { ttl: '1m', scope: 'public' } }),
        route('masked', { transform: { response: { maskFields: ['secret'] } } }),
        route('said', { compression: {} }, { upstream: undefined, respond: { body: TEXT } }),
      ],
    }),
    modules: [CodedModule],
  });
});
afterAll(async () => {
  await running.gateway?.stop();
  await running.service?.stop();
});

const at = (path: string): string => (running.gateway as TestGateway).url + path;

function answers(headers: OutgoingHttpHeaders, body: string | Buffer = TEXT, status = 200): void {
  say((_, response) => {
    response.writeHead(status, {
      'content-type': 'text/plain',
      'content-length': Buffer.byteLength(body),
      ...headers,
    });
    response.end(body);
  });
}

function say(listener: RequestListener): void {
  (running.service as TestUpstream).listener = listener;
}

const ask = (
  path: string,
  accepted = 'gzip',
  more: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> => call(at(path), { method, headers: { 'accept-encoding': accepted, ...more } });

function decoded({ headers, body }: Answer): string {
  const coding = headers['content-encoding'];
  if (coding === 'gzip') return String(gunzipSync(body));
  if (coding === 'br') return String(brotliDecompressSync(body));
  return coding === 'zstd' ? String(zstdDecompressSync(body)) : String(body);
}

describe('an answer of a service', () => {
  it.each(['gzip', 'br', 'zstd'])('is compressed with %s', async (coding) => {
    answers({ etag: '"one"', 'accept-ranges': 'bytes', 'content-digest': 'sha-256=:x:', vary: 'Accept' });
    const answer = await ask('/all', coding);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-encoding': coding,
      etag: 'W/"one"',
      vary: 'Accept, Accept-Encoding',
    });
    for (const name of ['content-length', 'accept-ranges', 'content-digest'])
      expect(answer.headers).not.toHaveProperty(name);
    expect(decoded(answer)).toBe(TEXT);
    expect(answer.body.length).toBeLessThan(TEXT.length / 10);
    const lines = await running.gateway?.linesWhere((line) => line['id'] === answer.headers['x-request-id']);
    expect(lines?.[0]).toMatchObject({ bytes: answer.body.length });
  });

  it('that tells no length is compressed', async () => {
    say((_, response) => {
      response.setHeader('content-type', 'application/json');
      for (const piece of ['[1', ` ${' '.repeat(2000)},2`, ']']) response.write(piece);
      response.end();
    });
    const answer = await ask('/all');
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(decoded(answer))).toEqual([1, 2]);
  });

  it.each([
    ['that is coded', { 'content-encoding': 'br' }],
    ['that must not be changed', { 'cache-control': 'public, no-transform' }],
    ['of another type', { 'content-type': 'image/png' }],
    ['without a type', { 'content-type': undefined as unknown as string }],
    ['that is a stream of events', { 'content-type': 'text/event-stream; charset=utf-8' }],
    ['that is a part', { 'content-range': 'bytes 0-3599/9000' }, 206],
    ['that says to be a part', { 'content-range': 'bytes */9000' }, 416],
  ])('%s is left as it is', async (_, headers, status = 200) => {
    const kept = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
    if ('content-type' in headers && headers['content-type'] === undefined)
      say(
        (_request, response) =>
          void response.writeHead(200, { etag: '"one"', 'content-length': TEXT.length }).end(TEXT),
      );
    else answers({ etag: '"one"', ...kept }, TEXT, status);
    const answer = await ask('/all');
    expect(answer.status).toBe(status);
    expect(answer.headers['content-encoding']).toBe((headers as Record<string, string>)['content-encoding']);
    expect(answer.headers).toMatchObject({ etag: '"one"', 'content-length': String(TEXT.length) });
    expect(answer.headers).not.toHaveProperty('vary');
    expect(answer.text).toBe(TEXT);
  });

  it('is left as it is where it is asked for so, and says that it varies', async () => {
    answers({ etag: '"one"' });
    for (const [accepted, more] of [
      ['identity', {}],
      ['gzip;q=0', {}],
      ['gzip', { 'cache-control': 'no-transform' }],
    ] as const) {
      const answer = await ask('/all', accepted, more);
      expect(answer.headers).toMatchObject({
        etag: '"one"',
        vary: 'Accept-Encoding',
        'content-length': String(TEXT.length),
      });
      expect(answer.text).toBe(TEXT);
    }
  });

  it('is compressed from the least size on, in the types that are listed', async () => {
    for (const [length, coding] of [
      [99, undefined],
      [100, 'gzip'],
    ] as const) {
      answers({}, 'x'.repeat(length));
      expect((await ask('/edged')).headers['content-encoding']).toBe(coding);
    }
    answers({ 'content-type': 'text/html' });
    expect((await ask('/edged')).headers).not.toHaveProperty('content-encoding');
    answers({});
    expect((await ask('/edged', 'br')).headers).not.toHaveProperty('content-encoding');
  });

  it('without a body has the fields of one that has', async () => {
    answers({ etag: '"one"' });
    const head = await ask('/all', 'gzip', {}, 'HEAD');
    expect(head.headers).toMatchObject({
      'content-encoding': 'gzip',
      etag: 'W/"one"',
      vary: 'Accept-Encoding',
    });
    expect(head.headers).not.toHaveProperty('content-length');
    expect(head.text).toBe('');
    say((_, response) => void response.writeHead(304, { etag: '"one"' }).end());
    const unchanged = await ask('/all', 'gzip', { 'if-none-match': 'W/"one"' });
    expect(unchanged.status).toBe(304);
    expect(unchanged.headers).toMatchObject({ etag: 'W/"one"', vary: 'Accept-Encoding' });
    expect(unchanged.headers).not.toHaveProperty('content-encoding');
    say((_, response) => void response.writeHead(204, { 'content-type': 'text/plain' }).end());
    expect((await ask('/all')).headers).not.toHaveProperty('content-encoding');
  });

  it('is kept as it came', async () => {
    answers({ 'cache-control': 'public, max-age=60' });
    expect(decoded(await ask('/kept', 'gzip'))).toBe(TEXT);
    say((_, response) => void response.writeHead(500).end());
    const again = await ask('/kept', 'br');
    expect(again.headers['content-encoding']).toBe('br');
    expect(decoded(again)).toBe(TEXT);
    expect((await ask('/kept', 'identity')).text).toBe(TEXT);
  });

  it('is masked first', async () => {
    const value = { secret: 'x', shown: TEXT };
    answers({ 'content-type': 'application/json' }, JSON.stringify(value));
    const answer = await ask('/masked');
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(decoded(answer))).toEqual({ shown: TEXT });
  });

  it('arrives piece by piece', async () => {
    let more = (): void => {};
    say((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write('{"one":1}\n');
      more = () => response.end('{"two":2}\n');
    });
    const incoming = await open(at('/all'), { headers: { 'accept-encoding': 'gzip' } });
    const text = incoming.pipe(createGunzip());
    const [first] = (await once(text, 'data')) as [Buffer];
    expect(String(first)).toBe('{"one":1}\n');
    more();
    const [second] = (await once(text, 'data')) as [Buffer];
    expect(String(second)).toBe('{"two":2}\n');
    await once(text, 'end');
  });

  it('is not asked for faster than it is taken, and ends with its client', async () => {
    const piece = Buffer.from(Array.from({ length: 65_536 }, () => Math.floor(Math.random() * 256)));
    let sent = 0;
    let isGone = false;
    say((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const go = (): void => {
        while (!isGone && response.write(piece)) sent += piece.length;
      };
      response.on('drain', go).once('close', () => (isGone = true));
      go();
    });
    const { hostname, port } = new URL(at('/'));
    const socket = connect(Number(port), hostname);
    socket.write('GET /all HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n');
    await once(socket, 'readable');
    let before = -1;
    for (let turn = 0; before !== sent && turn < 40; turn += 1) {
      before = sent;
      await sleep(100);
    }
    expect(sent).toBe(before);
    expect(sent).toBeLessThan(64 * 2 ** 20);
    socket.destroy();
    for (let waited = 0; !isGone && waited < 10_000; waited += 20) await sleep(20);
    expect(isGone).toBe(true);
  });

  it('that breaks off is no whole one', async () => {
    say((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 100_000 });
      response.write(TEXT);
      setTimeout(() => response.destroy(), 50);
    });
    await expect(ask('/all')).rejects.toThrow();
  });
});

describe('an answer of the gateway itself', () => {
  it.each(['/coded/short', '/coded/nothing'])('%s is too short', async (path) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(path, 'br', {}, method);
      expect(answer.status).toBe(200);
      expect(answer.headers).not.toHaveProperty('content-encoding');
      if (method === 'GET') expect(answer.headers['content-length']).toBe(String(answer.text.length));
    }
  });

  it.each([
    ['/coded/value', JSON.stringify({ text: TEXT })],
    ['/coded/text', TEXT],
    ['/coded/bytes', TEXT],
    ['/coded/stream', TEXT + TEXT],
    ['/said', TEXT],
  ])('%s is compressed', async (path, text) => {
    const answer = await ask(path, 'br');
    expect(answer.headers).toMatchObject({ 'content-encoding': 'br', vary: 'Accept-Encoding' });
    expect(answer.headers).not.toHaveProperty('content-length');
    expect(decoded(answer)).toBe(text);
    const lines = await running.gateway?.linesWhere((line) => line['id'] === answer.headers['x-request-id']);
    expect(lines?.[0]).toMatchObject({ bytes: answer.body.length });
    if (path === '/coded/text') expect(answer.headers['etag']).toBe('W/"strong"');
    const plain = await ask(path, 'identity');
    expect(plain.text).toBe(text);
    const head = await ask(path, 'br', {}, 'HEAD');
    expect(head.status).toBe(200);
    expect(head.headers['content-encoding']).toBe('br');
    expect(head.headers).not.toHaveProperty('content-length');
  });
});
