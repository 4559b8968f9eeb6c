import { beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { View } from '../../src/bff/view.ts';
import { Views } from '../../src/bff/views.ts';
import { ViewsModule } from '../../src/bff/views.module.ts';
import { httpUpstream } from '../../src/calls/http-upstream.ts';
import { CurrentExchange } from '../../src/exchange/exchange-of.ts';
import { Exchange } from '../../src/exchange/exchange.ts';
import { Authentication, Public } from '../../src/policies/authentication/authentication.policy.ts';
import { Deadline } from '../../src/policies/deadline/deadline.policy.ts';
import { Transform } from '../../src/policies/transform/transform.policy.ts';
import { open } from '../support/client.ts';
import { useShop } from '../support/shop.ts';

const echo = httpUpstream('echo');
const decode = z.object({ url: z.string() });
const open60 = echo.get<object, { url: string }>('echo.public', '/public', {
  decode,
  cache: { ttl: '1m', scope: 'public' },
});
const own30 = echo.get<object, { url: string }>('echo.own', '/own', {
  decode,
  cache: { ttl: '30s', scope: 'principal' },
});
const never = echo.get<object, { url: string }>('echo.never', '/never', { decode });

const Kept = View.define('Kept')
  .input<object>()
  .section('open', open60, () => ({}))
  .section('own', own30, () => ({}))
  .section('never', never, () => ({}));
const Slow = View.define('Slow')
  .input<object>()
  .section('fast', never, () => ({}))
  .section('slow', echo.get<object, { url: string }>('echo.slow', '/slow', { decode }), () => ({}));

@Controller('kept')
class KeptController {
  constructor(private readonly views: Views) {}

  @Get('public')
  @Public()
  everybody(@CurrentExchange() exchange: Exchange, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.views.answer(Kept, {}, exchange, reply);
  }

  @Get('own')
  @Authentication({ schemes: ['jwt'] })
  own(@CurrentExchange() exchange: Exchange, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.views.answer(Kept, {}, exchange, reply);
  }

  @Get('slow')
  @Public()
  @Deadline('300ms')
  slow(@CurrentExchange() exchange: Exchange, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.views.answer(Slow, {}, exchange, reply);
  }

  @Get('patient')
  @Public()
  patient(@CurrentExchange() exchange: Exchange, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.views.answer(Slow, {}, exchange, reply);
  }

  @Get('masked')
  @Public()
  @Transform({ response: { maskFields: ['url'] } })
  masked(@CurrentExchange() exchange: Exchange, @Res({ passthrough: true }) reply: FastifyReply) {
    return this.views.answer(Kept, {}, exchange, reply);
  }
}
@Module({ imports: [ViewsModule], controllers: [KeptController] })
class KeptModule {}

const holder = useShop({ modules: [KeptModule] });
beforeAll(() => holder.shop.warm());
const NDJSON = { accept: 'application/x-ndjson' };

/** A record of a stream. */
interface Line {
  readonly section?: string;
  readonly data?: unknown;
  readonly done?: boolean;
  readonly degraded?: unknown;
  readonly timing?: object;
  readonly problem?: { readonly code: string };
}

const records = (text: string): Line[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

/** Reads from a stream until the text so far has what is expected. */
async function readUntil(incoming: IncomingMessage, expected: string): Promise<string> {
  let text = '';
  incoming.setEncoding('utf8');
  while (!text.includes(expected)) text += ((await once(incoming, 'data')) as [string])[0];
  return text;
}

/** A target that lets requests to `/slow` wait until the test opens it, and counts those that were left. */
function holdSlow(): { readonly left: number } {
  const { echo: upstream } = holder.shop;
  const answer = upstream.listener;
  const state = { left: 0 };
  upstream.listener = (request, response) => {
    if (request.url !== '/slow') return answer(request, response);
    response.once('close', () => (state.left += response.writableFinished ? 0 : 1));
    held.push(() => {
      upstream.listener = answer;
      answer(request, response);
    });
  };
  return state;
}
const held: (() => void)[] = [];

describe('the homepage by kind of client', () => {
  it('is the same page with fewer things where there is less room', async () => {
    const page = (device?: string) =>
      holder.shop.call('/api/homepage', {
        as: 'user',
        headers: device === undefined ? {} : { 'x-device': device },
      });
    const whole = (await page()).json<{ user: object; feed: { items: { id: string; title: string }[] } }>();
    const mobile = await page('Mobile');
    expect(mobile.json()).toEqual({
      user: whole.user,
      feed: { items: whole.feed.items.slice(0, 5).map(({ id, title }) => ({ id, title })) },
      notifications: { unread: 7 },
    });
    expect(mobile.headers.vary).toBe('x-device, accept');
    const { notifications: calls } = holder.shop.services;
    const before = calls.requests.total;
    expect(Object.keys((await page('tv')).json())).toEqual(['user', 'feed']);
    expect(calls.requests.total).toBe(before);
    expect((await page('toaster')).json()).toEqual(whole);
  });

  it('knows only the fields of the kind', async () => {
    const answer = await holder.shop.call('/api/homepage?fields=notifications', {
      as: 'user',
      headers: { 'x-device': 'tv' },
    });
    expect([answer.status, answer.json()]).toMatchObject([400, { code: 'request-invalid' }]);
  });
});

describe('Cache-Control of a view', () => {
  it('is the minimum of its parts, and no-store as soon as one allows nothing', async () => {
    const field = async (query: string): Promise<unknown> =>
      (await holder.shop.call(`/kept/public?fields=${query}`)).headers['cache-control'];
    expect(await field('open')).toMatch(/^public, max-age=(60|59)$/);
    expect(await field('open,own')).toMatch(/^private, max-age=(30|29)$/);
    expect(await field('open,own,never')).toBe('no-store');
  });

  it('is private as soon as there is a principal, and tells principals apart', async () => {
    const { headers } = await holder.shop.call('/kept/own?fields=open', { as: 'user' });
    expect(headers['cache-control']).toMatch(/^private, max-age=/);
    expect(headers.vary).toBe('accept, authorization, x-api-key, cookie');
  });

  it('comes with an ETag that spares the body, and without one where nothing may be kept', async () => {
    const path = '/kept/public?fields=open';
    const { etag = '' } = (await holder.shop.call(path)).headers;
    expect(etag).toMatch(/^W\/"[\w-]{27}"$/);
    const again = await holder.shop.call(path, { headers: { 'if-none-match': `"other", ${etag}` } });
    expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag]);
    expect((await holder.shop.call(path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
    expect((await holder.shop.call('/kept/public')).headers.etag).toBeUndefined();
  });
});

describe('a view that is streamed', () => {
  it('sends its head and each section as soon as it is there', async () => {
    const slow = holdSlow();
    const incoming = await open(`${holder.shop.gateway.url}/kept/patient`, { headers: NDJSON });
    expect(incoming.headers).toMatchObject({
      'content-type': 'application/x-ndjson',
      'cache-control': 'no-store, no-transform',
    });
    expect(incoming.headers['content-encoding']).toBeUndefined();
    const first = await readUntil(incoming, '\n');
    expect(records(first)).toMatchObject([{ section: 'fast', data: { url: '/never' } }]);
    held.pop()?.();
    const rest = await readUntil(incoming, '"done"');
    expect(records(rest)).toMatchObject([
      { section: 'slow' },
      { done: true, timing: { fast: expect.any(Number), slow: expect.any(Number) } },
    ]);
    expect(slow.left).toBe(0);
  });

  it('holds the same data as the body, as NDJSON and as server-sent events', async () => {
    const { shop } = holder;
    const body = (await shop.call('/api/homepage', { as: 'user' })).json<Record<string, unknown>>();
    const lines = records((await shop.call('/api/homepage', { as: 'user', headers: NDJSON })).text);
    expect(lines.at(-1)).toMatchObject({ done: true });
    const sections = lines.slice(0, -1).map(({ section = '', data }) => [section, data]);
    expect(Object.fromEntries(sections)).toEqual(body);
    const accept = 'text/event-stream';
    const { text, headers } = await shop.call('/api/homepage', { as: 'user', headers: { accept } });
    expect(headers['content-type']).toBe(accept);
    const events = text.split('\n\n').filter((event) => event.startsWith('event: '));
    expect(events.map((event) => event.split('\n')[0])).toEqual([
      'event: section',
      'event: section',
      'event: section',
      'event: done',
    ]);
    const data = events.map((event) => JSON.parse(event.split('\ndata: ')[1] ?? '') as Line);
    expect(Object.fromEntries(data.slice(0, -1).map((one) => [one.section, one.data]))).toEqual(body);
  });

  it('names what is degraded where it is, and at the end', async () => {
    const { shop } = holder;
    await shop.services.feed.fault('garbage');
    const lines = records((await shop.call('/api/homepage', { as: 'user', headers: NDJSON })).text);
    await shop.services.feed.fault('none');
    const degraded = [{ section: 'feed', code: 'upstream-response-invalid', via: 'fallback' }];
    expect(lines.find(({ section }) => section === 'feed')).toEqual({
      section: 'feed',
      data: { items: [] },
      degraded,
    });
    expect(lines.at(-1)).toMatchObject({ done: true, degraded });
  });

  it('ends with a problem when a section fails that has to be there, and the access line says so', async () => {
    const { shop } = holder;
    await Promise.all([shop.services['users-1'].fault('garbage'), shop.services['users-2'].fault('garbage')]);
    const answer = await shop.call('/api/homepage', { as: 'user', headers: NDJSON });
    await Promise.all([shop.services['users-1'].fault('none'), shop.services['users-2'].fault('none')]);
    expect(answer.status).toBe(200);
    expect(records(answer.text).at(-1)?.problem).toMatchObject({
      code: 'upstream-response-invalid',
      section: 'user',
      status: 502,
    });
    expect(await shop.lineOf(answer)).toMatchObject({ refused: { code: 'upstream-response-invalid' } });
  });

  it('ends when the deadline passes, and says so', async () => {
    const slow = holdSlow();
    const answer = await holder.shop.call('/kept/slow', { headers: NDJSON });
    while (slow.left === 0) await sleep(5);
    held.pop()?.();
    // The call and the request end in the same instant; either the section or the whole answer says so.
    const last = records(answer.text).at(-1);
    expect(records(answer.text)[0]).toMatchObject({ section: 'fast' });
    expect(JSON.stringify(last?.problem ?? last?.degraded)).toContain('"code":"deadline-exceeded"');
  });

  it('cancels what is under way when the client goes away', async () => {
    const slow = holdSlow();
    const headers = { ...NDJSON, 'x-request-id': 'stream-left' };
    const incoming = await open(`${holder.shop.gateway.url}/kept/patient`, { headers });
    await readUntil(incoming, '\n');
    incoming.destroy();
    while (slow.left === 0) await sleep(5);
    held.pop()?.();
    expect(await holder.shop.lineOfId('stream-left')).toMatchObject({ status: 499 });
  });

  it('is one body where a policy edits bodies, where HEAD asks, and where JSON is preferred', async () => {
    const masked = await holder.shop.call('/kept/masked?fields=open', { headers: NDJSON });
    expect(masked.headers['content-type']).toContain('application/json');
    expect(masked.text).not.toContain('/public');
    const path = '/kept/public?fields=open';
    expect(
      (await holder.shop.call(path, { method: 'HEAD', headers: NDJSON })).headers['content-type'],
    ).toContain('application/json');
    for (const accept of [
      '*/*',
      'application/json',
      'application/json, application/x-ndjson;q=0.5',
      'text/html',
    ]) {
      const { headers } = await holder.shop.call(path, { headers: { accept } });
      expect([accept, headers['content-type']]).toEqual([
        accept,
        expect.stringContaining('application/json'),
      ]);
    }
  });

  it('refuses unknown fields with a problem, before its head', async () => {
    const answer = await holder.shop.call('/kept/public?fields=opn', { headers: NDJSON });
    expect([answer.status, answer.headers['content-type']]).toEqual([400, 'application/problem+json']);
  });
});
