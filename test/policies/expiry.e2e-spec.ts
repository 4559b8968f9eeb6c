import { Body, Controller, Get, Module, Post, Res, Sse } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { status as grpc, type StatusObject } from '@grpc/grpc-js';
import type { FastifyReply } from 'fastify';
import { once } from 'node:events';
import { connect, constants } from 'node:http2';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { NEVER, concat, of, type Observable } from 'rxjs';
import { z } from 'zod';
import { View } from '../../src/bff/view.ts';
import { Views } from '../../src/bff/views.ts';
import { ViewsModule } from '../../src/bff/views.module.ts';
import { httpUpstream } from '../../src/calls/http-upstream.ts';
import { CurrentExchange } from '../../src/exchange/exchange-of.ts';
import type { Exchange } from '../../src/exchange/exchange.ts';
import { Authentication } from '../../src/policies/authentication/authentication.policy.ts';
import { Deadline } from '../../src/policies/deadline/deadline.policy.ts';
import { call, open } from '../support/client.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { asIs, encoded, grpcClient, metadataOf } from '../support/pass-gateway.ts';
import { startShop, type Shop } from '../support/shop.ts';

const echoed = httpUpstream('echo').get<object, { url: string }>('echo.held', '/held', {
  decode: z.object({ url: z.string() }),
});
const Held = View.define('Held')
  .input<object>()
  .section('held', echoed, () => ({}), { budget: '100s' });

@Controller('own')
@Authentication({ schemes: ['jwt', 'apiKey'], expiryGrace: '0s' })
@Deadline('off')
class OwnController {
  constructor(private readonly views: Views) {}

  @Sse('events')
  events(): Observable<object> {
    return concat(of({ data: 'begun' }), NEVER);
  }

  @Get('text')
  text(@Res() reply: FastifyReply): void {
    const body = new PassThrough();
    body.write('begun');
    void reply.type('text/plain').send(body);
  }

  @Get('view')
  view(@CurrentExchange() exchange: Exchange, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.views.answer(Held, {}, exchange, reply);
  }

  @Get('never')
  never(): Promise<never> {
    return new Promise(() => undefined);
  }

  @Post('upload')
  upload(@Body({ schema: z.strictObject({ a: z.string() }) }) body: object): object {
    return body;
  }
}

@Module({ imports: [ViewsModule], controllers: [OwnController] })
class OwnModule {}

const kinds = new KindsServer();
let shop: Shop;

beforeAll(async () => {
  await kinds.start();
  const authentication = { schemes: ['jwt', 'apiKey'] };
  const strict = { authentication: { ...authentication, expiryGrace: '0s' } };
  shop = await startShop({
    modules: [OwnModule],
    upstreams: () => ({
      kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: [kinds.url] },
    }),
    more: { listeners: [{ port: 0, http2: true }] },
    routes: [
      { id: 'usual', match: { path: '/usual/*' }, upstream: 'echo' },
      { id: 'strict', match: { path: '/strict/*' }, upstream: 'echo', policies: strict },
      { id: 'calls', match: { path: '/test.v1.Kinds/*' }, upstream: 'kinds', passGrpc: true },
      { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' } },
    ],
  });
  const echo = shop.echo.listener;
  shop.echo.listener = (request, response) => {
    const url = request.url ?? '';
    if (url.endsWith('/never') || url.endsWith('/held')) return;
    if (url.endsWith('/events'))
      return void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    if (url.endsWith('/bytes')) return void response.writeHead(200).write('begun');
    echo(request, response);
  };
});

beforeEach(() => {
  kinds.hold = new Promise(() => undefined);
});

afterAll(async () => {
  await shop.stop();
  kinds.stop();
});

interface Ended {
  readonly text: string;
  readonly cut: boolean;
  readonly id: string;
}

async function endOf(incoming: IncomingMessage): Promise<Ended> {
  let text = '';
  incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
  incoming.on('error', () => undefined);
  await new Promise((resolve) => incoming.on('close', resolve));
  return { text, cut: !incoming.complete, id: String(incoming.headers['x-request-id']) };
}

const expiresSoon = (seconds = 2): Promise<string> =>
  shop.services.identity.token('user', { exp: Math.ceil(Date.now() / 1000) + seconds });

async function stream(path: string, headers = {}): Promise<Ended> {
  const incoming = await open(shop.gateway.url + path, {
    headers: { authorization: `Bearer ${await expiresSoon()}`, ...headers },
  });
  expect(incoming.statusCode).toBe(200);
  return endOf(incoming);
}

const EXPIRED = { refused: { code: 'credentials-expired' } };

describe('a stream whose token expires', () => {
  it.each([
    ['forwarded', '/usual/events', 'data: 1\n\n', true],
    ['of server-sent events of a handler', '/own/events', 'data: begun', true],
    ['of no known kind on a route that is strict', '/strict/bytes', 'begun', true],
    ['of a handler on a route that is strict', '/own/text', 'begun', true],
    ['of a view', '/own/view', '"code":"credentials-expired"', false],
    ['that is translated', '/test/count/100', '"code":"credentials-expired"', false],
  ])('%s ends with it, and its line says why', async (_what, path, text, cut) => {
    const accept = path === '/own/view' ? 'application/x-ndjson' : 'text/event-stream';
    const ended = await stream(path, { accept });
    expect(ended).toMatchObject({ cut, text: expect.stringContaining(text) });
    const line = await shop.lineOfId(ended.id);
    expect(line).toMatchObject(EXPIRED);
    const counted = `gatehouse_expired_exchanges_total{route="${String(line['route'])}"}`;
    expect(await shop.metrics()).toContain(counted);
  });

  it.each(['/usual/events', '/own/events'])('over HTTP/2 is reset with CANCEL: %s', async (path) => {
    const client = connect(shop.gateway.url);
    const asked = client.request({
      ':path': path,
      authorization: `Bearer ${await expiresSoon()}`,
    });
    asked.on('error', () => undefined).resume();
    // Not by `once`, which the reset makes fail.
    await new Promise((resolve) => asked.on('close', resolve));
    expect(asked.rstCode).toBe(constants.NGHTTP2_CANCEL);
    client.close();
  });

  it('of gRPC that is passed on ends with UNAUTHENTICATED', async () => {
    const client = grpcClient(shop.gateway.url);
    const metadata = metadataOf({ authorization: `Bearer ${await expiresSoon()}` });
    const chat = client.makeBidiStreamRequest('/test.v1.Kinds/Chat', asIs, asIs, metadata);
    chat.on('error', () => undefined);
    const ended = new Promise<StatusObject>((resolve) => chat.on('status', resolve));
    chat.write(encoded('Tick', { number: 1n }));
    await once(chat, 'data');
    expect((await ended).code).toBe(grpc.UNAUTHENTICATED);
    client.close();
  });
});

describe('a request whose token expires', () => {
  /** Sends a body that has no end. */
  async function upload(path: string): Promise<IncomingMessage> {
    const body = new PassThrough();
    const answer = open(shop.gateway.url + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await expiresSoon()}`,
        'content-type': 'application/json',
        'content-length': '100',
      },
      body,
    });
    body.write('{"a":');
    return answer;
  }

  it.each(['/strict/never', '/own/upload'])('ends while %s still uploads, by 401', async (path) => {
    const answer = await upload(path);
    expect(answer.statusCode).toBe(401);
    answer.resume();
  });

  it.each(['/strict/never', '/own/never'])('ends while it waits for %s, by 401', async (path) => {
    const answer = await call(shop.gateway.url + path, {
      headers: { authorization: `Bearer ${await expiresSoon()}` },
    });
    expect([answer.status, answer.json()['code']]).toEqual([401, 'credentials-expired']);
  });

  it('goes on for a while where its route does not say otherwise, download and all', async () => {
    const headers = { authorization: `Bearer ${await expiresSoon()}` };
    const incoming = await open(`${shop.gateway.url}/usual/bytes`, { headers });
    // Both begin after it: what expires later has ended.
    await Promise.all([stream('/usual/events'), stream('/strict/bytes')]);
    expect(incoming.destroyed).toBe(false);
    incoming.destroy();
  });
});
