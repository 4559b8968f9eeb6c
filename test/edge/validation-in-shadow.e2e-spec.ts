import { Body, Controller, Module, Post } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { Authentication } from '../../src/policies/authentication/authentication.policy.ts';
import { Validation } from '../../src/policies/validation/validation.policy.ts';
import { compileSchema } from '../../src/policies/validation/schema-compiler.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

@Controller('coded')
@Authentication('public')
@Validation({ body: { type: 'object', required: ['name'] }, query: { type: 'object', required: ['page'] } })
class CodedController {
  @Post()
  take(@Body({ schema: z.unknown() }) body: unknown): unknown {
    return body;
  }
}

@Module({ controllers: [CodedController] })
class CodedModule {}

const running: { gateway?: TestGateway; service?: TestUpstream } = {};

beforeAll(async () => {
  const service = (running.service = await startUpstream());
  const validation = {
    mode: 'shadow',
    answer: { type: 'object', required: ['id'] },
    body: { type: 'object' },
  };
  running.gateway = await startGateway({
    config: JSON.stringify({
      version: 1,
      defaults: { policies: { authentication: 'public' } },
      upstreams: { behind: { targets: [service.url] } },
      routes: [
        {
          id: 'watched',
          match: { path: '/*' },
          upstream: 'behind',
          policies: { validation, compression: {} },
        },
      ],
    }),
    modules: [CodedModule],
  });
});
afterAll(async () => {
  await running.gateway?.stop();
  await running.service?.stop();
});

async function counted(of: string): Promise<number> {
  const { text } = await call(`${running.gateway?.adminUrl}/metrics`);
  const line = text
    .split('\n')
    .find((one) => one.startsWith('gatehouse_validation_faults_total{route="watched"') && one.includes(of));
  return Number(line?.split(' ').at(-1) ?? 0);
}

describe('validation in shadow', () => {
  it('sends an answer as it is, counts and logs what does not fit, and compresses it after that', async () => {
    const body = `{ "other" : "${'x'.repeat(2000)}" }`;
    (running.service as TestUpstream).listener = (_, response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    expect((await call(`${running.gateway?.url}/a`)).text).toBe(body);
    const coded = await call(`${running.gateway?.url}/a`, { headers: { 'accept-encoding': 'gzip' } });
    expect(coded.headers['content-encoding']).toBe('gzip');
    expect(String(gunzipSync(coded.body))).toBe(body);
    expect(await counted('of="answer"')).toBe(2);
    const lines = await running.gateway?.linesWhere(({ msg }) => msg.includes('the answer of'));
    expect(lines).toHaveLength(1);
    expect(lines?.[0]?.msg).toContain('/id');
    // What the service has coded itself is looked at as well, and a byte order mark is nobody's fault.
    const [marked, wrong] = ['\ufeff{"id":1}', body].map((text) => gzipSync(text));
    for (const [bytes, faults] of [
      [marked, 2],
      [wrong, 3],
      [Buffer.from('no gzip'), 3],
    ] as const) {
      (running.service as TestUpstream).listener = (_, response) =>
        void response
          .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
          .end(bytes);
      expect((await call(`${running.gateway?.url}/a`)).body).toEqual(bytes);
      // It is decoded after it was sent.
      while ((await counted('of="answer"')) < faults) await setTimeout(5);
      expect(await counted('of="answer"')).toBe(faults);
    }
    (running.service as TestUpstream).listener = (_, response) =>
      void response.writeHead(404, { 'content-type': 'application/json' }).end('[]');
    expect((await call(`${running.gateway?.url}/a`)).status).toBe(404);
    expect(await counted('of="answer"')).toBe(3);
  });

  it('counts requests that do not fit', async () => {
    const headers = { 'content-type': 'application/json' };
    await call(`${running.gateway?.url}/a`, { method: 'POST', headers, body: '[]' });
    expect(await counted('of="request"')).toBe(1);
  });
});

describe('validation of a handler', () => {
  it('looks at what was read of the body', async () => {
    const headers = { 'content-type': 'application/json' };
    const ask = (body: string) =>
      call(`${running.gateway?.url}/coded?page=1`, { method: 'POST', headers, body });
    expect((await ask('{"name":1}')).json()).toEqual({ name: 1 });
    const repeated = await ask('{"name":1,"name":2}');
    expect(repeated.status).toBe(400);
    expect(repeated.json()).toMatchObject({
      errors: [{ in: 'body', pointer: '/name', message: 'must stand once' }],
    });
    const refusal = await ask('{}');
    expect(refusal.status).toBe(400);
    expect(refusal.json()).toMatchObject({ errors: [{ in: 'body', pointer: '/name' }] });
  });
});

describe('a compiled schema', () => {
  it('tells fifty faults, and of a large value the first', () => {
    const schema = compileSchema({ items: { type: 'string' } });
    const value = Array.from({ length: 51 }, (_, at) => at);
    expect(schema.faultsOf(value.slice(1))).toHaveLength(50);
    expect(schema.faultsOf(value)).toHaveLength(50);
    expect(schema.faultsOf(value, 65_536)).toHaveLength(50);
    expect(schema.faultsOf(value, 65_537)).toHaveLength(1);
  });

  it('keeps patterns apart', () => {
    const schema = compileSchema({ properties: { a: { pattern: '^x$' }, b: { pattern: '^y$' } } });
    expect(schema.faultsOf({ a: 'x', b: 'y' })).toEqual([]);
    expect(schema.faultsOf({ a: 'y', b: 'x' })).toHaveLength(2);
  });
});
