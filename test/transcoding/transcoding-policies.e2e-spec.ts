import { describe, expect, it } from '@jest/globals';
import { Metadata, status } from '@grpc/grpc-js';
import { request } from 'node:http';
import { call } from '../support/client.ts';
import { startGateway } from '../support/gateway.ts';
import { kindsConfig, until, useServedKinds } from '../support/kinds-gateway.ts';

const behind = useServedKinds();

describe('an answer that is kept for everybody', () => {
  it.each<[string, string, string, object]>([
    ['a language that the service heard', '/test/items/a', 'accept-language', { vary: 'accept-language' }],
    ['a form of a stream', '/test/count/3', 'accept', { vary: 'accept, accept-language' }],
  ])('is not given to one who asked for another one: %s', async (_, path, name, fields) => {
    const options = {
      policies: 'cache: { ttl: 1h, scope: public }',
      grpc: 'metadata: { request: [accept-language, x-correlation-id] }',
    };
    await behind.kinds.withAnother(options, async ({ url }) => {
      const ask = (value: string, id = 'one') =>
        call(url + path, { headers: { [name]: value, 'x-correlation-id': id } });
      expect((await ask('application/x-ndjson')).headers).toMatchObject(fields);
      const other = await ask('application/json');
      expect([other.headers['content-type'], other.headers['x-cache']]).toEqual([
        'application/json',
        undefined,
      ]);
      expect((await ask('application/json', 'two')).headers['x-cache']).toBe('HIT');
    });
  });
});

describe('metadata', () => {
  const rules =
    'metadata: { request: [X-Tag, data-bin, authorization], response: [x-answer, x-trailer, raw-bin] }';

  it('lets through what the lists name, both ways, trailers too', async () => {
    await behind.kinds.withAnother(
      { grpc: rules, policies: 'transform: { request: { setHeaders: { x-set: yes } } }' },
      async ({ url }) => {
        behind.kinds.server.header = new Metadata();
        behind.kinds.server.header.set('x-answer', 'a');
        behind.kinds.server.header.set('x-hidden', 'h');
        behind.kinds.server.trailer = new Metadata();
        behind.kinds.server.trailer.set('x-trailer', 't');
        behind.kinds.server.trailer.set('raw-bin', Buffer.from([1, 2]));
        const headers = {
          'x-tag': 't',
          'x-other': 'o',
          'data-bin': 'AQI=',
          authorization: 'Bearer b',
          'X-User-Id': 'forged',
        };
        const answer = await call(`${url}/test/items/a`, { headers });
        expect(answer.headers).toMatchObject({ 'x-answer': 'a', 'x-trailer': 't', 'raw-bin': 'AQI=' });
        expect(answer.headers).not.toHaveProperty('x-hidden');
        const sent = behind.kinds.server.lastMetadata?.getMap() ?? {};
        expect(sent).toMatchObject({ 'x-tag': 't', authorization: 'Bearer b', 'x-set': 'yes' });
        expect(sent['data-bin']).toEqual(Buffer.from([1, 2]));
        for (const name of ['x-other', 'x-user-id']) expect(sent).not.toHaveProperty(name);
      },
    );
  });

  it('is edited by the labels of the target, of unary calls and of streams', async () => {
    const { server } = behind.kinds;
    const edits = [
      `{ labels: { track: canary }, request: { setHeaders: { X-Track: '{target.label.track}', x-odd: '{request.header.x-odd}' }, removeHeaders: [x-tag] }, response: { setHeaders: { x-by: '{target.label.track}' } } }`,
      '{ labels: { track: stable }, request: { setHeaders: { x-never: no } } }',
    ];
    const config = kindsConfig({
      target: server.url,
      grpc: rules,
      policies: `transform: { request: { setHeaders: { x-set: yes } }, perTarget: [${edits.join(', ')}] }`,
    }).replace(`'${server.url}'`, `{ url: '${server.url}', labels: { track: canary } }`);
    const gateway = await startGateway({ config });
    try {
      for (const path of ['/test/items/a', '/test/count/2']) {
        const headers = { 'x-tag': 't', 'x-track': 'forged', 'x-never': 'forged', 'x-odd': 'caf\u00e9' };
        const answer = await call(gateway.url + path, { headers });
        expect([answer.status, answer.headers['x-by']]).toEqual([200, 'canary']);
        const sent = server.lastMetadata?.getMap() ?? {};
        expect(sent).toMatchObject({ 'x-track': 'canary', 'x-set': 'yes' });
        for (const name of ['x-tag', 'x-never', 'x-odd']) expect(sent).not.toHaveProperty(name);
      }
      expect(
        await gateway.linesWhere((line) => String(line['msg']).includes('is labeled track: stable')),
      ).toHaveLength(1);
    } finally {
      await gateway.stop();
    }
  });

  it('never hands over an API key', async () => {
    await behind.kinds.withAnother({ grpc: rules }, async ({ url }) => {
      await call(`${url}/test/items/a`, { headers: { authorization: 'ApiKey secret' } });
      expect(behind.kinds.server.lastMetadata?.get('authorization')).toEqual([]);
    });
  });

  it('passes nothing by default but the request id and the trace', async () => {
    await call(`${behind.kinds.url}/test/items/a`, { headers: { 'x-tag': 't', authorization: 'Bearer b' } });
    expect(Object.keys(behind.kinds.server.lastMetadata?.getMap() ?? {}).sort()).toEqual([
      'traceparent',
      'user-agent',
      'x-request-id',
    ]);
  });
});

describe('policies of the route', () => {
  it('hides masked fields, in streams too', async () => {
    const mask = 'transform: { response: { maskFields: [note] } }';
    await behind.kinds.withAnother({ policies: mask }, async ({ url }) => {
      const path = `${url}/test/count/2?padding=3`;
      const texts = await Promise.all(
        ['application/json', 'application/x-ndjson', 'text/event-stream'].map(
          async (accept) => (await call(path, { headers: { accept } })).text,
        ),
      );
      for (const text of texts)
        expect([text.includes('xxx'), text.includes('"number":"2"')]).toEqual([false, true]);
    });
  });

  it('gives the call the time that is left and answers 504 when it is up', async () => {
    let release = (): void => undefined;
    behind.kinds.server.hold = new Promise((resolve) => (release = resolve));
    await behind.kinds.withAnother({ policies: 'deadline: 150ms' }, async ({ url, accessLines }) => {
      const answer = await call(`${url}/test/items/a`);
      expect([answer.status, answer.json()['code']]).toEqual([504, 'deadline-exceeded']);
      expect(behind.kinds.server.remainingMs).toBeLessThanOrEqual(151);
      await until(() => behind.kinds.server.cancelled === 1);
      expect(await accessLines(1)).toMatchObject([{ route: 'kinds.Get', upstream: 'kinds', status: 504 }]);
    });
    release();
  });

  it('cancels the call when the client goes away', async () => {
    let release = (): void => undefined;
    behind.kinds.server.hold = new Promise((resolve) => (release = resolve));
    const outgoing = request(`${behind.kinds.url}/test/items/a`).on('error', () => undefined);
    outgoing.end();
    await until(() => behind.kinds.server.calls === 1);
    outgoing.destroy();
    await until(() => behind.kinds.server.cancelled === 1);
    release();
    const lines = await behind.kinds.gateway.linesWhere((line) => line['status'] === 499);
    expect(lines[0]).toMatchObject({ route: 'kinds.Get' });
  });

  it('opens the breaker on failures and answers 503', async () => {
    const breaker = 'circuitBreaker: { consecutiveFailures: 1 }';
    await behind.kinds.withAnother({ upstream: breaker }, async ({ url }) => {
      behind.kinds.server.refusal = { code: status.INTERNAL, details: 'secret' };
      expect((await call(`${url}/test/items/a`)).status).toBe(502);
      expect((await call(`${url}/test/items/a`)).status).toBe(503);
      expect(behind.kinds.server.calls).toBe(1);
    });
  });
});
