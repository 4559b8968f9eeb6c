import { Body, Controller, Module, Post } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { Authentication } from '../../src/policies/authentication/authentication.policy.ts';
import { Transform } from '../../src/policies/transform/transform.policy.ts';
import { Validation } from '../../src/policies/validation/validation.policy.ts';
import { call, type Answer } from '../support/client.ts';
import { checkGateway, startGateway, type TestGateway } from '../support/gateway.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { until } from '../support/reload.ts';
import { open } from '../support/socket-client.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const BEYOND = '9007199254740993';
const check = {
  body: { type: 'object', required: ['stringValue'], properties: { int32Value: { maximum: 9 } } },
};
const edit = {
  request: {
    body: [{ remove: ['admin'] }, { default: { color: 'COLOR_RED' } }, { move: { old: 'stringValue' } }],
  },
};

@Controller('checked')
@Authentication('public')
@Validation(check as never)
class CheckedController {
  @Post()
  take(@Body({ schema: z.unknown() }) body: unknown): unknown {
    return body;
  }
}

@Controller('edited')
@Authentication('public')
@Transform(edit as never)
class EditedController {
  @Post()
  take(@Body({ schema: z.unknown() }) body: unknown): unknown {
    return body;
  }
}

@Module({ controllers: [CheckedController, EditedController] })
class DoorsModule {}

const running: { gateway?: TestGateway; service?: TestUpstream; kinds?: KindsServer } = {};

function configOf(routes: readonly object[]): string {
  return JSON.stringify({
    version: 1,
    defaults: { policies: { authentication: 'public' } },
    upstreams: {
      http: { targets: [running.service?.url] },
      kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [running.kinds?.url] },
    },
    routes,
  });
}

beforeAll(async () => {
  running.service = await startUpstream((request, response) => {
    response.setHeader('content-type', 'application/json');
    request.pipe(response);
  });
  running.kinds = await new KindsServer().start();
  running.gateway = await startGateway({
    config: configOf([
      { id: 'checked', match: { path: '/checked/sent' }, upstream: 'http', policies: { validation: check } },
      { id: 'edited', match: { path: '/edited/sent' }, upstream: 'http', policies: { transform: edit } },
      {
        id: 'kinds',
        upstream: 'kinds',
        grpc: { service: 'test.v1.Kinds', webSocket: 'off' },
        policies: { validation: check, transform: edit },
      },
      {
        id: 'shadow',
        upstream: 'kinds',
        grpc: { service: 'test.v1.Shapes' },
        policies: { validation: { ...check, mode: 'shadow' } },
      },
    ]),
    modules: [DoorsModule],
  });
});
afterAll(async () => {
  await running.gateway?.stop();
  await running.service?.stop();
  running.kinds?.stop();
});

function post(path: string, body: string): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  return call(`${running.gateway?.url}${path}`, { method: 'POST', headers, body });
}

describe('a body that is checked', () => {
  it.each([
    ['a forwarded route', '/checked/sent'],
    ['a translated route', '/test/echo'],
    ['a controller', '/checked'],
  ])('passes at %s when it fits, and is refused when it does not', async (_, path) => {
    const fits = await post(path, '{"stringValue":"a","int32Value":9}');
    expect([fits.status, fits.json()]).toEqual([
      path === '/checked' ? 201 : 200,
      expect.objectContaining({ stringValue: 'a', int32Value: 9 }),
    ]);
    for (const [body, pointer] of [
      ['{"int32Value":9}', '/stringValue'],
      ['{"stringValue":"a","int32Value":10}', '/int32Value'],
      ['{"stringValue":"a","stringValue":"b"}', '/stringValue'],
    ] as const) {
      const refusal = await post(path, body);
      expect([refusal.status, refusal.json()]).toMatchObject([400, { errors: [{ in: 'body', pointer }] }]);
    }
  });
});

describe('messages that come line by line', () => {
  let gateway: TestGateway;
  const lines = { type: 'object', required: ['number'], properties: { note: { maxLength: 3 } } };
  const send = (body: string, type = 'application/x-ndjson', path = '/test/sum'): Promise<Answer> =>
    call(`${gateway.url}${path}`, { method: 'POST', headers: { 'content-type': type }, body });

  beforeAll(async () => {
    gateway = await startGateway({
      config: configOf([
        {
          id: 'kinds',
          upstream: 'kinds',
          grpc: { service: 'test.v1.Kinds' },
          policies: { validation: { body: lines } },
        },
      ]),
    });
  });
  afterAll(() => gateway?.stop());

  it('pass at a translated route when each fits', async () => {
    const { status } = await send('{"number":"1","note":"abc"}\n\n{"number":"2"}\n');
    expect(status).toBe(200);
  });

  it.each([
    ['one that does not fit', '{"number":"1"}\n{"note":"abcd"}\n{"number":"3"}\n', ['/1/number', '/1/note']],
    ['a name that stands twice', '{"number":"1","number":"2"}\n', ['/0/number']],
    ['what is no JSON', '{"number":"1"}\n{"number":\n', ['/1']],
  ])('are refused with their line for %s', async (_, body, pointers) => {
    const refusal = await send(body);
    expect(refusal.status).toBe(400);
    const errors = pointers.map((pointer) => expect.objectContaining({ in: 'body', pointer }) as unknown);
    expect(refusal.json()).toMatchObject({ code: 'request-invalid', errors });
  });

  // Bound to a POST, and to a GET without a body.
  it.each(['/test/chat/x', '/test/talk/x'])(
    'are checked one by one over a WebSocket at %s, each before it goes on',
    async (path) => {
      const { socket, messages, problems, closed } = await open(path, { url: gateway.url });
      socket.send('{"number":"1","note":"abc"}');
      await until(() => messages.length === 1);
      socket.send('{"note":"abcd"}');
      expect(await closed).toEqual({ code: 4400, reason: 'request-invalid' });
      const errors = ['/number', '/note'].map((pointer) => ({
        in: 'body',
        pointer,
        message: expect.any(String),
      }));
      expect(problems).toEqual([
        expect.objectContaining({ code: 'request-invalid', detail: 'Message 2 is not valid.', errors }),
      ]);
      expect(messages.slice(0, 1)).toEqual([{ number: '2', note: 'x' }]);
    },
  );

  it('are refused as one value, which the method does not take', async () => {
    expect((await send('{"number":"1"}', 'application/json')).status).toBe(415);
  });

  it.each(['/test/echo', '/test/blob'])('are refused where a method takes one message: %s', async (path) => {
    expect((await send('{"number":"1"}', 'application/x-ndjson', path)).status).toBe(415);
  });

  it('are no JSON at a forwarded route, and the problem says what is', async () => {
    const headers = { 'content-type': 'application/x-ndjson' };
    const url = `${running.gateway?.url}/checked/sent`;
    const refusal = await call(url, { method: 'POST', headers, body: '{"stringValue":"a"}\n' });
    expect([refusal.status, refusal.json()]).toMatchObject([
      415,
      {
        code: 'media-type-unsupported',
        detail: expect.stringContaining('one JSON value as application/json'),
      },
    ]);
  });
});

it('passes what is coded to a translated route in shadow, and decodes it once', async () => {
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  const body = gzipSync('"a"');
  const { status, text } = await call(`${running.gateway?.url}/test/body/string`, {
    method: 'POST',
    headers,
    body,
  });
  // The service has heard it, which it would not have of a body that is no JSON: it does not have this method.
  expect([status, JSON.parse(text)]).toMatchObject([501, { code: 'not-implemented' }]);
});

describe('a request that is edited', () => {
  it('keeps every digit at a forwarded route', async () => {
    const { text } = await post('/edited/sent', `{"admin":1,"id":${BEYOND},"old":"a"}`);
    expect(text).toBe(`{"id":${BEYOND},"color":"COLOR_RED","stringValue":"a"}`);
  });

  it('keeps every digit at a translated route', async () => {
    const { text } = await post('/test/echo', `{"admin":1,"stringValue":"a","int64Value":${BEYOND}}`);
    expect(JSON.parse(text)).toMatchObject({ stringValue: 'a', int64Value: BEYOND, color: 'COLOR_RED' });
  });

  it('has at a controller the numbers that its handler would have without the edit', async () => {
    const edited = await post('/edited', `{"admin":1,"id":${BEYOND},"old":"a"}`);
    expect(edited.json()).toEqual({ id: Number(BEYOND), color: 'COLOR_RED', stringValue: 'a' });
  });
});

describe('what would pass unchecked or unedited is refused at the start', () => {
  it.each<[string, () => object[], string]>([
    [
      'messages of a translated WebSocket',
      () => [
        {
          id: 'k',
          upstream: 'kinds',
          grpc: { service: 'test.v1.Kinds' },
          policies: { bodyAuthorization: { when: 'body.number == 1' } },
        },
      ],
      'messages over a WebSocket would pass unchecked',
    ],
    [
      'messages of a forwarded WebSocket',
      () => [
        { id: 's', match: { path: '/s' }, upstream: 'http', webSocket: 'on', policies: { transform: edit } },
      ],
      'messages would pass unedited',
    ],
    [
      'messages of gRPC that is passed on',
      () => [
        {
          id: 'g',
          match: { path: '/a.B/*' },
          upstream: 'kinds',
          passGrpc: true,
          policies: { transform: edit },
        },
      ],
      'edits bodies, and those of this route are passed on unread',
    ],
  ])('%s', async (_, routes, message) => {
    const checked = checkGateway({ config: configOf(routes()) });
    await expect(checked).rejects.toMatchObject({
      faults: expect.arrayContaining([
        expect.objectContaining({ message: expect.stringContaining(message) as unknown }),
      ]) as unknown,
    });
  });
});
