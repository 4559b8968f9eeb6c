import { beforeEach, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { call } from '../support/client.ts';
import { OPENMETRICS, readMetrics } from '../support/metrics-page.ts';
import { unary } from '../support/pass-gateway.ts';
import { promtool } from '../support/promtool.ts';
import { childrenOf, fieldsOf, Traces, useTracedWorld } from '../support/traced-world.ts';
import { echo } from '../support/upstream.ts';

const world = useTracedWorld();
const traces = new Traces(world);
const JSON_BODY = { 'content-type': 'application/json' };

beforeEach(() => {
  world.kinds.reset();
  world.http.listener = echo;
  for (const one of world.pair) one.listener = (_, response) => void response.writeHead(200).end('{}');
});

describe('a forwarded WebSocket', () => {
  const open = async () => {
    const traceId = traces.next();
    const socket = new WebSocket(
      `${world.gateway.url.replace('http', 'ws')}/socket?access_token=hushhush`,
      [],
      {
        headers: { ...fieldsOf(traceId), origin: 'https://app.example' },
      },
    );
    socket.on('error', () => undefined);
    await once(socket, 'open');
    return { traceId, socket, behind: world.sockets.open.at(-1) as WebSocket };
  };

  it('is one span that ends with it, its handshake the attempt', async () => {
    const { traceId, socket } = await open();
    socket.send('hello');
    await once(socket, 'message');
    const openedNs = BigInt(Date.now()) * 1_000_000n;
    expect(world.collector.spans.some((span) => span.traceId === traceId)).toBe(false);
    await sleep(20);
    socket.close(1000);
    const { server, spans } = await traces.spans(traceId);
    expect(spans.map(({ kind }) => kind).toSorted()).toEqual(['client', 'server']);
    expect(server).toMatchObject({
      name: 'GET /socket',
      status: 'unset',
      attributes: {
        'http.response.status_code': 101,
        'url.query': 'access_token=REDACTED',
        'gatehouse.socket.closed_by': 'client',
        'gatehouse.socket.close_code': 1000,
        'gatehouse.socket.messages.in': 1,
        'gatehouse.socket.messages.out': 1,
      },
    });
    expect(server.endNs).toBeGreaterThan(openedNs);
    const [handshake] = childrenOf(spans, server);
    expect(handshake).toMatchObject({ name: 'GET', status: 'unset', attributes: { 'http.response.status_code': 101 } });
    expect(world.sockets.handshakes.at(-1)?.headers['traceparent']).toBe(`00-${traceId}-${handshake?.spanId}-01`);
  }); // prettier-ignore

  it.each([
    ['that the service ends with a fault of its own', (behind: WebSocket) => behind.close(1011), '1011'],
    ['whose service goes without a word', (behind: WebSocket) => behind.terminate(), '1006'],
  ])('%s is a fault', async (_, ends, type) => {
    const { traceId, behind } = await open();
    ends(behind);
    const { server } = await traces.spans(traceId);
    expect(server).toMatchObject({
      status: 'error',
      attributes: { 'error.type': type, 'gatehouse.socket.closed_by': 'upstream' },
    });
  });

  it('that its client ends badly, or its service well, is none', async () => {
    const one = await open();
    one.socket.terminate();
    const other = await open();
    other.behind.close(1001);
    for (const { traceId } of [one, other]) expect((await traces.spans(traceId)).server.status).toBe('unset');
  });
});

describe('several attempts', () => {
  it('at several targets are spans beside each other', async () => {
    for (const one of world.pair) one.listener = (_, response) => void response.writeHead(503).end();
    const { spans, server } = await traces.of('/retried');
    const attempts = childrenOf(spans, server);
    expect(attempts.map(({ attributes: { 'http.request.resend_count': resends, 'gatehouse.attempt.reason': reason, 'error.type': type } }) => [resends, reason, type])).toEqual([
      [undefined, undefined, '503'],
      [1, 'retry', '503'],
    ]); // prettier-ignore
    expect(new Set(attempts.map(({ attributes }) => attributes['server.port'])).size).toBe(2);
    expect(server).toMatchObject({ status: 'error', attributes: { 'error.type': '503' } });
  });

  it('that are well at last leave the exchange without a fault', async () => {
    let turn = 0;
    for (const one of world.pair)
      one.listener = (_, response) => void response.writeHead((turn += 1) === 1 ? 503 : 200).end();
    const { spans, server } = await traces.of('/retried');
    expect(childrenOf(spans, server).map((one) => one.status)).toEqual(['error', 'unset']);
    expect(server.status).toBe('unset');
  });

  it('of a hedge say which was the second, and who lost has no fault', async () => {
    let turn = 0;
    for (const one of world.pair)
      one.listener = (_, response) =>
        (turn += 1) === 1 ? undefined : void response.writeHead(200).end('{}');
    const { spans, server } = await traces.of('/hedged');
    const [first, second] = childrenOf(spans, server);
    expect(first).toMatchObject({ status: 'unset' });
    expect(first?.attributes).not.toHaveProperty(['http.response.status_code']);
    expect(second).toMatchObject({
      status: 'unset',
      attributes: { 'gatehouse.attempt.reason': 'hedge', 'http.request.resend_count': 1, 'http.response.status_code': 200 },
    }); // prettier-ignore
    expect((second?.startNs ?? 0n) > (first?.startNs ?? 0n)).toBe(true);
  });
});

describe('an answer that breaks off', () => {
  it('is a fault of the attempt, which keeps its status, and of the exchange', async () => {
    world.http.listener = (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      setTimeout(() => response.destroy(), 20);
    };
    const { spans, server } = await traces.of('/plain');
    expect(server).toMatchObject({ status: 'error', attributes: { 'http.response.status_code': 200, 'gatehouse.cut': true } });
    expect(childrenOf(spans, server)).toMatchObject([
      { status: 'error', attributes: { 'http.response.status_code': 200, 'error.type': expect.stringMatching(/^[a-z-]+$/) } },
    ]);
  }); // prettier-ignore
});

describe('a mirrored request', () => {
  it('carries the trace, and has no span', async () => {
    const heard = new Promise<unknown>((resolve) => {
      for (const one of world.pair)
        one.listener = ({ headers }, response) => {
          response.writeHead(200).end();
          resolve(headers['traceparent']);
        };
    });
    const { traceId, spans, server } = await traces.of('/mirrored');
    expect(await heard).toBe(`00-${traceId}-${server.spanId}-01`);
    expect(spans.map(({ kind }) => kind).toSorted()).toEqual(['client', 'server']);
  });
});

describe('secrets', () => {
  const SECRET = 'c4n4ry-of-the-mine';

  it('are in no span, wherever they were said', async () => {
    const secret = { authorization: `Bearer ${SECRET}`, cookie: `sid=${SECRET}`, 'x-api-key': SECRET, 'x-token': SECRET };
    const body = JSON.stringify({ stringValue: SECRET });
    await traces.of(`/plain?token=${SECRET}&page=${SECRET}`, { method: 'POST', headers: secret, body });
    await traces.of('/test/echo', { method: 'POST', headers: { ...secret, ...JSON_BODY }, body });
    await traces.of(`/test/count/1?note=${SECRET}`, { headers: secret });
    world.kinds.refusal = { code: status.INTERNAL, details: SECRET };
    await traces.of('/test/echo', { method: 'POST', headers: { ...secret, ...JSON_BODY }, body });
    world.http.listener = (_, response) =>
      void response.writeHead(500, { 'set-cookie': `sid=${SECRET}`, 'x-token': SECRET }).end(SECRET);
    await traces.of(`/plain?password=${SECRET}`, { headers: { ...secret, baggage: `key=${SECRET}` } });
    await traces.of(`/nowhere?${SECRET}`, { headers: { forwarded: `for=${SECRET}`, referer: `http://x/${SECRET}` } });
    const call = traces.next();
    await unary(world.client, { bytes: Buffer.from(SECRET), fields: { ...fieldsOf(call), authorization: SECRET } });
    await traces.spans(call);
    const socket = new WebSocket(`${world.gateway.url.replace('http', 'ws')}/socket?access_token=${SECRET}`, [], {
      headers: { ...fieldsOf(traces.next()), ...secret, origin: `https://${SECRET}.test` },
    });
    socket.on('error', () => undefined);
    await Promise.race([once(socket, 'open'), once(socket, 'close')]);
    socket.close(1000, SECRET);
    await traces.of('/plain');
    expect(world.collector.raw.join('')).not.toContain(SECRET);
  }); // prettier-ignore
});

describe('the metrics of all that', () => {
  const page = async (accept = 'text/plain') =>
    (await call(`${world.gateway.adminUrl}/metrics`, { headers: { accept } })).text;

  it('are clean to promtool, and have every series once in both formats', async () => {
    const text = await page();
    expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, said: '' });
    const names = new Set(readMetrics(text, 'text').map(({ name }) => name));
    for (const kind of [
      'hedges',
      'socket_closes',
      'mirror_requests',
      'upstream_retries',
      'problems',
      'spans_exported',
    ])
      expect([kind, [...names].some((name) => name.includes(kind))]).toEqual([kind, true]);
    expect(new Set(readMetrics(await page(OPENMETRICS), 'openmetrics').map(({ name }) => name))).toEqual(
      names,
    );
  });

  it('have exemplars that name traces which the collector has', async () => {
    const { traceId } = await traces.of('/plain');
    const shown = readMetrics(await page(OPENMETRICS), 'openmetrics').flatMap(({ name, exemplar }) =>
      exemplar === undefined ? [] : [{ name, ...exemplar }],
    );
    expect(shown.length).toBeGreaterThan(0);
    const known = new Set(world.collector.spans.map(({ traceId: id, spanId }) => `${id} ${spanId}`));
    for (const one of shown as readonly Record<string, string>[])
      expect(known).toContain(`${one['trace_id']} ${one['span_id']}`);
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
  });
});
