import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Header, Module, Res, StreamableFile, type Type } from '@nestjs/common';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { Public } from '../../src/policies/authentication/authentication.policy.ts';
import { Transform } from '../../src/policies/transform/transform.policy.ts';
import { startGateway } from '../support/gateway.ts';
import { useShop } from '../support/shop.ts';

const SECRET = 'of-the-operator';
const DOCUMENT = JSON.stringify({ name: 'a', internal: SECRET });
const MASK = { response: { maskFields: ['internal'] } };
const SMALL = { response: { maskFields: ['internal'], maxBody: `${DOCUMENT.length}B` } };

@Controller('made')
@Public()
@Transform(MASK)
class MadeController {
  @Get('object')
  object(): object {
    return JSON.parse(DOCUMENT) as object;
  }

  @Get('text')
  text(): string {
    return DOCUMENT;
  }

  @Get('typed-text')
  @Header('content-type', 'application/json')
  typedText(): string {
    return DOCUMENT;
  }

  @Get('bytes')
  bytes(): Buffer {
    return Buffer.from(DOCUMENT);
  }

  @Get('lines')
  lines(): string {
    return `${DOCUMENT}\n${DOCUMENT}\n`;
  }

  @Get('file')
  file(): StreamableFile {
    return new StreamableFile(Readable.from([DOCUMENT]), { type: 'application/json' });
  }

  @Get('untyped-file')
  untypedFile(): StreamableFile {
    return new StreamableFile(Buffer.from(DOCUMENT));
  }

  @Get('stream')
  stream(): Readable {
    return Readable.from([DOCUMENT]);
  }

  @Get('page')
  @Header('content-type', 'text/html')
  page(): string {
    return DOCUMENT;
  }

  @Get('picture')
  picture(): StreamableFile {
    return new StreamableFile(Buffer.from('picture'), { type: 'image/png' });
  }

  @Get('hello')
  hello(): string {
    return 'hello';
  }
}

@Module({ controllers: [MadeController] })
class MadeModule {}

const OPEN = { authentication: 'public', transform: MASK };
const holder = useShop({
  modules: [MadeModule],
  routes: [
    { id: 'proxied', match: { path: '/proxied/*' }, upstream: 'echo', policies: OPEN },
    { id: 'small', match: { path: '/small' }, upstream: 'echo', policies: { ...OPEN, transform: SMALL } },
    { id: 'kept', match: { path: '/kept/*' }, upstream: 'echo', policies: { ...OPEN, cache: { ttl: '1h' } } },
  ],
});

/** What an upstream may say about a body that is JSON all the same. */
const HEADS: readonly (readonly [string, readonly string[]])[] = [
  ['no type', []],
  ['an empty type', ['content-type', '']],
  ['text/json', ['content-type', 'text/json']],
  ['text/plain', ['content-type', 'text/plain']],
  ['an unknown type', ['content-type', 'application/x-unknown']],
  ['a type in quotes', ['content-type', '"application/json"']],
  ['a list of types', ['content-type', 'image/png, application/json']],
  ['two types', ['content-type', 'image/png', 'content-type', 'application/json']],
  ['a type that Connection names', ['content-type', 'application/json', 'connection', 'close, content-type']],
  ['a type of lines', ['content-type', 'application/x-ndjson']],
  ['a script', ['content-type', 'text/javascript']],
  // What servers say when nobody says anything, and what is simply wrong.
  ['text/html', ['content-type', 'text/html; charset=UTF-8']],
  ['text/csv', ['content-type', 'text/csv']],
  ['application/xml', ['content-type', 'application/xml']],
  ['a picture', ['content-type', 'image/png']],
];

describe.each(['proxied', 'kept'])('a masked field of /%s', (id) => {
  it.each(HEADS)('does not pass under %s, asked for once or again', async (what, head) => {
    holder.shop.echo.listener = (_request, response) => void response.writeHead(200, [...head]).end(DOCUMENT);
    for (let i = 0; i < 2; i += 1) {
      const answer = await holder.shop.call(`/${id}/${what.replaceAll(' ', '-')}`);
      expect(answer.text).not.toContain(SECRET);
      expect([200, 502]).toContain(answer.status);
      if (answer.status === 200) expect(answer.json()).toEqual({ name: 'a' });
    }
  });

  it.each<[string, string[], string | Buffer]>([
    ['lines', ['content-type', 'application/x-ndjson'], `${DOCUMENT}\n${DOCUMENT}`],
    ['events', ['content-type', 'text/event-stream'], `data: ${DOCUMENT}\n\n`],
    ['parts', ['content-type', 'multipart/mixed; boundary=a'], `--a\r\n\r\n${DOCUMENT}\r\n--a--`],
    [
      'two codings',
      ['content-type', 'application/json', 'content-encoding', 'gzip, gzip'],
      gzipSync(gzipSync(DOCUMENT)),
    ],
    [
      'a hidden coding',
      ['content-encoding', 'gzip', 'connection', 'close, content-encoding'],
      gzipSync(DOCUMENT),
    ],
    ['a coding that is none', ['content-type', 'application/json', 'content-encoding', 'gzip'], DOCUMENT],
    ['events that are none', ['content-type', 'text/event-stream'], DOCUMENT],
    [
      'another character set',
      ['content-type', 'text/plain; charset=utf-16le'],
      Buffer.from(DOCUMENT, 'utf16le'),
    ],
  ])('does not pass in %s: 502', async (what, head, body) => {
    holder.shop.echo.listener = (_request, response) => void response.writeHead(200, head).end(body);
    for (let i = 0; i < 2; i += 1) {
      const answer = await holder.shop.call(`/${id}/in-${what.replaceAll(' ', '-')}`);
      expect([answer.status, answer.json()['code']]).toEqual([502, 'upstream-response-invalid']);
    }
  });

  it.each([
    [` \n${DOCUMENT}`],
    [`\ufeff${DOCUMENT}`],
    [`[${DOCUMENT}]`],
    [`[1,${DOCUMENT}]`],
    [`${' '.repeat(2000)}${DOCUMENT}`],
    [`[\n[${DOCUMENT}]]`],
  ])('does not pass under text/html where it begins otherwise: %j', async (body) => {
    holder.shop.echo.listener = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      // Piece by piece: the first one shows nothing.
      response.write(body.slice(0, 1));
      setTimeout(() => response.end(body.slice(1)), 20);
    };
    for (let i = 0; i < 2; i += 1)
      expect((await holder.shop.call(`/${id}/begins-${body.length}`)).text).not.toContain(SECRET);
  });

  it('does not pass under text/html where it is coded, and a page does as it came', async () => {
    const head = { 'content-type': 'text/html', 'content-encoding': 'gzip', etag: '"1"' };
    let body = gzipSync(DOCUMENT);
    holder.shop.echo.listener = (_request, response) => void response.writeHead(200, head).end(body);
    const masked = await holder.shop.call(`/${id}/coded-document`);
    expect([masked.status, masked.text]).toEqual([200, '{"name":"a"}']);
    body = gzipSync('<p>{}</p>');
    const page = await holder.shop.call(`/${id}/coded-page`);
    expect(page.headers).toMatchObject({ 'content-encoding': 'gzip', etag: '"1"' });
    expect(page.headers['content-length']).toBe(String(body.length));
  });

  it.each<[string, string]>([
    ['image/png', 'picture {'],
    ['text/html', '<p>{}</p>'],
    ['text/html', ' \n <p>{}</p>'],
    ['text/html', ''],
    ['text/html', ' \n '],
    ['text/css', '[hidden] { display: none }'],
    ['text/csv', `"{",1\n${'x'.repeat(2 ** 21)}`],
    ['text/plain', 'no such thing'],
  ])('is looked for in vain in %s, which passes', async (type, body) => {
    const head = ['content-type', type, 'etag', '"1"'];
    holder.shop.echo.listener = (_request, response) => void response.writeHead(404, head).end(body);
    for (const method of ['GET', 'HEAD']) {
      const answer = await holder.shop.call(`/${id}/type/${type}/${body.length}`, { method });
      const sent = method === 'HEAD' ? '' : body;
      expect(answer.text === sent).toBe(true);
      expect([answer.status, answer.headers.etag]).toEqual([
        404,
        type === 'text/plain' && method === 'HEAD' ? undefined : '"1"',
      ]);
    }
  });
});

describe('a body that is held back to be masked', () => {
  it.each([
    ['as a whole', 0],
    ['in pieces', 20],
  ])('is refused when it is one byte too large, %s', async (_, afterMs) => {
    for (const [body, status] of [
      [DOCUMENT, 200],
      [`${DOCUMENT} `, 502],
    ] as const) {
      holder.shop.echo.listener = (_request, response) => {
        response.writeHead(200, ['content-type', 'application/json', 'content-length', String(body.length)]);
        if (afterMs > 0) response.write(body.slice(0, 1));
        const rest = afterMs > 0 ? body.slice(1) : body;
        setTimeout(() => response.end(rest), afterMs);
      };
      const answer = await holder.shop.call('/small');
      expect(answer.status).toBe(status);
      if (status === 200) expect(answer.json()).toEqual({ name: 'a' });
      else expect(answer.json()['code']).toBe('upstream-response-invalid');
    }
  });
});

describe('a masked field of a handler', () => {
  it.each(['object', 'text', 'typed-text', 'bytes', 'page'])('is gone from its %s', async (form) => {
    const answer = await holder.shop.call(`/made/${form}`);
    expect([answer.status, answer.json()]).toEqual([200, { name: 'a' }]);
  });

  it.each(['lines', 'file', 'untyped-file', 'stream'])('does not pass in its %s', async (form) => {
    const answer = await holder.shop.call(`/made/${form}`);
    expect([answer.status, answer.json()['code']]).toEqual([500, 'internal']);
  });

  it('is looked for in vain in what is no JSON', async () => {
    expect((await holder.shop.call('/made/picture')).text).toBe('picture');
    expect((await holder.shop.call('/made/hello')).text).toBe('hello');
  });
});

describe('a mask that nobody would apply', () => {
  const start = async (modules: readonly Type[], more: object): Promise<unknown> => {
    const upstreams = {
      users: { targets: ['http://127.0.0.1:1'] },
      feed: { targets: ['http://127.0.0.1:1'] },
      notifications: { protocol: 'grpc', targets: ['grpc://127.0.0.1:1'] },
    };
    const defaults = { policies: { authentication: 'public' } };
    const identity = { apiKeys: [{ sha256: '0'.repeat(64), clientId: 'a' }] };
    const config = JSON.stringify({
      version: 1,
      modules: ['homepage', 'notifications'],
      identity,
      defaults,
      upstreams,
      ...more,
    });
    return (await startGateway({ config, modules })).stop();
  };

  it('keeps the gateway from starting on a handler that sends its answer itself', async () => {
    @Controller('own')
    @Public()
    class OwnController {
      @Get()
      @Transform(MASK)
      own(@Res() reply: { send(body: unknown): void }): void {
        reply.send(JSON.parse(DOCUMENT));
      }
    }
    @Module({ controllers: [OwnController] })
    class OwnModule {}
    await expect(start([OwnModule], {})).rejects.toThrow('OwnController.own: `maskFields` cannot mask');
  });

  it('keeps the gateway from starting on the GraphQL door', async () => {
    const graphql = { policies: { transform: MASK } };
    await expect(start([], { graphql })).rejects.toThrow('`maskFields` does not work on GraphQL');
  });
});
