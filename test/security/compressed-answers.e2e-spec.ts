import { Controller, Get, Module } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Caller } from '../../src/calls/caller.ts';
import { CallsModule } from '../../src/calls/calls.module.ts';
import { httpUpstream } from '../../src/calls/http-upstream.ts';
import { CurrentExchange } from '../../src/exchange/exchange-of.ts';
import type { Exchange } from '../../src/exchange/exchange.ts';
import { Public } from '../../src/policies/authentication/authentication.policy.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const MIB = 2 ** 20;
/** What each bomb becomes when somebody decodes all of it. */
const DECODED_BYTES = 256 * MIB;
/** More than every bound together, and far less than one bomb. */
const MOST_GROWTH_BYTES = 192 * MIB;

const many = (piece: Buffer, pieces: number): Buffer => Buffer.concat(Array<Buffer>(pieces).fill(piece));
const blanks = (bytes: number): Buffer => Buffer.alloc(bytes, ' ');
// Members and frames may follow each other, and are one text then.
const BOMBS: Readonly<Record<string, Buffer>> = {
  gzip: many(gzipSync(blanks(8 * MIB)), DECODED_BYTES / (8 * MIB)),
  zstd: many(zstdCompressSync(blanks(8 * MIB)), DECODED_BYTES / (8 * MIB)),
  br: brotliCompressSync(blanks(DECODED_BYTES), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  deflate: deflateSync(blanks(DECODED_BYTES), { level: 1 }),
};

const getBomb = httpUpstream('bombs').get<object, unknown>('bombs.get', '/bomb', { decode: z.unknown() });

@Controller('called')
@Public()
class CalledController {
  constructor(private readonly caller: Caller) {}

  @Get()
  show(@CurrentExchange() exchange: Exchange): Promise<unknown> {
    return this.caller.call(getBomb, {}, { exchange, timeoutMs: Infinity });
  }
}

@Module({ imports: [CallsModule], controllers: [CalledController] })
class CalledModule {}

let service: TestUpstream;
let gateway: TestGateway;
let coding = 'gzip';

/** What the process has in memory, or had at most, in bytes. */
function resident(which: 'VmRSS' | 'VmHWM'): number {
  return (
    Number(new RegExp(`${which}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
  );
}

/** By how much the process was larger for a moment than it is before, so that nothing is missed that comes and goes. */
async function growthOf(work: () => Promise<void>): Promise<number> {
  // The most that there was counts from here: what tests before have left, for a collection of garbage to find, does not.
  writeFileSync('/proc/self/clear_refs', '5');
  const before = resident('VmRSS');
  await work();
  return resident('VmHWM') - before;
}

beforeAll(async () => {
  service = await startUpstream((request, response) => {
    if (request.url === '/own') return void response.setHeader('content-type', 'application/json').end('{}');
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': coding });
    response.end(BOMBS[coding]);
  });
  const route = (id: string, policies: object, more: object = {}): object => ({
    id,
    match: { path: `/${id}` },
    upstream: 'bombs',
    policies,
    ...more,
  });
  const edit = [{ remove: ['a'] }];
  gateway = await startGateway({
    config: JSON.stringify({
      version: 1,
      identity: {
        issuers: [
          { issuer: 'https://keys.test/', jwks: `${service.url}/keys`, audiences: ['api'] },
          { issuer: service.url, discovery: true, audiences: ['api'] },
        ],
      },
      defaults: { policies: { authentication: 'public' } },
      upstreams: {
        bombs: { targets: [service.url], circuitBreaker: 'off', retry: { attempts: 1 } },
        own: { targets: [service.url] },
      },
      routes: [
        route('masked', { transform: { response: { maskFields: ['a'] } } }),
        route('edited', { transform: { response: { body: edit } } }),
        route('passed', { transform: { response: { body: edit, onFault: 'pass' } } }),
        route('shaped', { transform: { response: { template: { a: '{body.a}' } } } }),
        route('watched', { validation: { answer: { type: 'object' } } }),
        route(
          'mirrored',
          {},
          { upstream: 'own', rewrite: { path: '/own' }, mirror: { upstream: 'bombs', compare: {} } },
        ),
        {
          id: 'composed',
          match: { path: '/composed' },
          aggregate: { calls: { a: { upstream: 'bombs', path: '/a', required: true } } },
        },
        route(
          'secured',
          { authentication: { schemes: ['jwt'] } },
          { upstream: 'own', rewrite: { path: '/own' } },
        ),
      ],
    }),
    modules: [CalledModule],
  });
});
afterAll(async () => {
  await gateway?.stop();
  await service?.stop();
});

/** How many answers of mirrors were compared, or found to be what cannot be. */
async function compared(): Promise<number> {
  const { text } = await call(`${gateway.adminUrl}/metrics`);
  const counts = [...text.matchAll(/^gatehouse_mirror_comparisons_total\{.*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** A token that nobody can check before he has read the keys of its issuer. */
function tokenOf(iss: string): string {
  const exp = Math.floor(Date.now() / 1000) + 60;
  const parts = [
    { alg: 'RS256', kid: 'a' },
    { iss, aud: 'api', sub: 's', exp },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  return [...parts, Buffer.alloc(256).toString('base64url')].join('.');
}

/** Who reads answers of services, and what a client hears of one that cannot be read. */
const READERS: readonly (readonly [reader: string, path: string, status: number, code: string])[] = [
  ['masks', '/masked', 502, 'upstream-response-invalid'],
  ['edits of bodies', '/edited', 502, 'upstream-response-invalid'],
  ['edits of bodies that pass what they cannot read', '/passed', 200, ''],
  ['templates of answers', '/shaped', 502, 'upstream-response-invalid'],
  ['validation of answers', '/watched', 200, ''],
  ['mirrors that compare', '/mirrored', 200, ''],
  ['aggregates', '/composed', 502, 'upstream-response-invalid'],
  ['calls of handlers', '/called', 502, 'upstream-response-invalid'],
];

describe.each(Object.keys(BOMBS))('a small answer in %s that stands for 256 MiB', (name) => {
  it.each(READERS)('is not decoded beyond a bound by %s', async (_, path, status, code) => {
    coding = name;
    const comparisons = await compared();
    const growth = await growthOf(async () => {
      const answer = await call(gateway.url + path);
      expect(answer.status).toBe(status);
      if (code !== '') expect(answer.json()).toMatchObject({ code });
      if (path === '/passed' || path === '/watched') expect(answer.body).toEqual(BOMBS[name]);
      // The mirror is read after the answer.
      while (path === '/mirrored' && (await compared()) === comparisons) await sleep(5);
    });
    expect(growth).toBeLessThan(MOST_GROWTH_BYTES);
  });
});

describe.each([
  ['a key set', () => 'https://keys.test/'],
  ['a discovery document', () => service.url],
])('%s that stands for 256 MiB', (_, issuer) => {
  it('is not decoded beyond a bound, and nobody is let in', async () => {
    coding = 'gzip';
    const headers = { authorization: `Bearer ${tokenOf(issuer())}` };
    const growth = await growthOf(async () => {
      const answer = await call(`${gateway.url}/secured`, { headers });
      expect([answer.status, answer.json()]).toMatchObject([503, { code: 'identity-unavailable' }]);
    });
    expect(growth).toBeLessThan(MOST_GROWTH_BYTES);
  });
});
