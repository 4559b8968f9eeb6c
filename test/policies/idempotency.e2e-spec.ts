import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, HttpCode, Module, NotFoundException, Patch, Post, Sse } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { of, type Observable } from 'rxjs';
import { z } from 'zod';
import { Idempotency } from '../../src/policies/idempotency/idempotency.policy.ts';
import { Transform } from '../../src/policies/transform/transform.policy.ts';
import { call, type Answer } from '../support/client.ts';
import { checkGateway } from '../support/gateway.ts';
import { apiKeyOf, keyedConfig, startKeyed } from '../support/keyed.ts';
import type { CountingService, KeyedCall, KeyedGateway } from '../support/keyed.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

const REPLAYED = 'idempotent-replayed';
const PARAMETER = { name: 'Idempotency-Key', in: 'header' };
const SECRETS = 'a secret of at least 32 characters';
let handled = 0;

@Controller('team')
@Idempotency({})
class TeamController {
  @Post('edited')
  @Transform({ response: { maskFields: ['secret'], body: [{ wrap: 'wrapped' }] } } as never)
  edited(@Body({ schema: z.unknown() }) _body: unknown): object {
    return { run: (handled += 1), secret: 's3cret' };
  }

  @Patch('nothing')
  @HttpCode(204)
  nothing(@Body({ schema: z.unknown() }) _body: unknown): void {
    handled += 1;
  }

  @Post('missing')
  missing(@Body({ schema: z.unknown() }) _body: unknown): never {
    handled += 1;
    throw new NotFoundException();
  }

  @Post('broken')
  broken(@Body({ schema: z.unknown() }) _body: unknown): never {
    handled += 1;
    throw new Error('a bug');
  }

  @Post('checked')
  checked(@Body({ schema: z.strictObject({ a: z.number() }) }) body: object): object {
    handled += 1;
    return body;
  }

  @Sse('events')
  @Post('events')
  events(): Observable<object> {
    handled += 1;
    return of({ data: 'one' });
  }
}

@Module({ controllers: [TeamController] })
class TeamModule {}

let redis: RedisServer;
let stores: { readonly [name: string]: KeyedGateway };

beforeAll(async () => {
  process.env['TEST_ANSWER_KEYS'] = SECRETS;
  redis = await startRedis();
  const idempotency = { maxAnswer: '2KiB', maxRequest: '4KiB', encryptionKeysEnv: 'TEST_ANSWER_KEYS' };
  const routes = {
    '/a/*': { idempotency },
    '/things/{id}/{what}': { idempotency },
    '/required/*': { idempotency: { required: true } },
    '/again/*': { idempotency: { onUnknown: 'run' } },
    '/gone/*': { idempotency },
    '/open/*': { idempotency: { anonymous: 'address' }, authentication: 'public' },
    '/edited/*': {
      idempotency,
      compression: { minSize: '1B' },
      cors: { origins: ['https://page.example'] },
      rateLimit: { key: 'principal', rate: 1000, per: '1m' },
      transform: { response: { maskFields: ['secret'], setHeaders: { 'x-set': 'here' } } },
    },
    '/single/*': { idempotency, concurrency: { max: 1, queue: 0 } },
    '/plain/*': {},
  };
  const [inProcess, shared] = await Promise.all([
    startKeyed({ routes, modules: [TeamModule] }),
    startKeyed({ routes, modules: [TeamModule], environment: { REDIS_URL: redis.url } }),
  ]);
  stores = { 'in this process': inProcess, 'in Redis': shared };
});

afterAll(async () => {
  await Promise.all(Object.values(stores).map((one) => one.stop()));
  await redis.stop();
});

const codeOf = (answer: Answer): unknown =>
  answer.headers['content-type'] === 'application/problem+json'
    ? answer.json<{ code: string }>().code
    : answer.status;

describe.each(['in this process', 'in Redis'])('keys %s', (store) => {
  let keyed: KeyedGateway;
  beforeAll(() => {
    keyed = stores[store] as KeyedGateway;
  });
  /** A Redis that is slow for a moment on a busy machine is no matter of these tests. */
  const post = async (path: string, options?: KeyedCall): Promise<Answer> => {
    for (;;) {
      const answer = await keyed.post(path, options);
      if (codeOf(answer) !== 'idempotency-unavailable') return answer;
      await sleep(20);
    }
  };
  /** The same request twice, and how often it was run. */
  const twice = async (path: string, options: KeyedCall = {}) => {
    const key = randomUUID();
    const before = keyed.service.runs + handled;
    const first = await post(path, { key, ...options });
    const second = await post(path, { key, ...options });
    return { first, second, runs: keyed.service.runs + handled - before, key };
  };

  it('have a request run once, and its answer told again, marked, without what is of a moment', async () => {
    const { first, second, runs, key } = await twice('/a/b?y=1&x=2');
    expect(runs).toBe(1);
    expect(first.headers[REPLAYED]).toBeUndefined();
    expect(second).toMatchObject({ status: 201, text: first.text });
    expect(second.headers).toMatchObject({
      [REPLAYED]: 'true',
      'content-type': 'application/json',
      location: first.headers['location'],
      'content-length': first.headers['content-length'],
    });
    expect(first.headers['set-cookie']).toEqual(['a=b']);
    expect(second.headers).not.toHaveProperty('set-cookie');
    expect(second.headers).not.toHaveProperty('age');
    expect(second.headers['x-request-id']).not.toBe(first.headers['x-request-id']);
    // The key goes on to the service, as it came.
    expect(first.json()).toMatchObject({ key });
  });

  it('are the same in quotes and bare, and with the query in another order', async () => {
    const key = randomUUID();
    const before = keyed.service.runs;
    const answers = [
      await post('/a/b?y=1&x=2', { key }),
      await post('/a/b?x=2&y=1', { key: `"${key}"` }),
      await post('/a/b?y=1&x=2', { key: ` ${key} ` }),
    ];
    expect(keyed.service.runs - before).toBe(1);
    expect(answers.map(({ headers }) => headers[REPLAYED])).toEqual([undefined, 'true', 'true']);
  });

  const OTHERS: readonly (readonly [string, string, KeyedCall])[] = [
    ['principal', '/things/1/buy', { as: 'bob' }],
    ['tenant', '/things/1/buy', { as: 'ann of another tenant' }],
    ['path parameter', '/things/2/buy', {}],
    ['host', '/things/1/buy', { headers: { host: 'other.example' } }],
    ['route', '/a/buy', {}],
  ];
  it.each(OTHERS)('of another %s are other keys', async (_what, path, options) => {
    const key = randomUUID();
    const before = keyed.service.runs;
    await post('/things/1/buy', { key });
    const other = await post(path, { key, ...options });
    expect(other.status).toBe(201);
    expect(other.headers[REPLAYED]).toBeUndefined();
    expect(keyed.service.runs - before).toBe(2);
  });

  it('cannot be used again for the values of one parameter in another order', async () => {
    const key = randomUUID();
    expect((await post('/a/b?x=1&y=1&x=2', { key })).status).toBe(201);
    expect((await post('/a/b?y=1&x=1&x=2', { key })).headers[REPLAYED]).toBe('true');
    expect((await post('/a/b?x=2&y=1&x=1', { key })).status).toBe(422);
  });

  const DIFFERENT: readonly (readonly [string, string, KeyedCall])[] = [
    ['body', '/a/b?x=1', { body: '{ }' }],
    ['method', '/a/b?x=1', { method: 'PATCH' }],
    ['query', '/a/b?x=2', {}],
    ['content type', '/a/b?x=1', { headers: { 'content-type': 'text/plain' } }],
  ];
  it.each(DIFFERENT)('cannot be used again for another %s', async (_what, path, options) => {
    const key = randomUUID();
    await post('/a/b?x=1', { key });
    const before = keyed.service.runs;
    const other = await post(path, { key, ...options });
    expect([other.status, codeOf(other)]).toEqual([422, 'idempotency-key-reused']);
    expect(keyed.service.runs).toBe(before);
  });

  it('let one of 50 requests pass at once, and tell the others to come again', async () => {
    const key = randomUUID();
    const before = keyed.service.runs;
    const asking = Array.from({ length: 50 }, () => post('/a/held', { key }));
    const refused: Answer[] = [];
    for (const one of asking) void one.then((answer) => void (answer.status === 409 && refused.push(answer)));
    while (refused.length < 49) await sleep(2);
    keyed.service.release();
    const answers = await Promise.all(asking);
    expect(keyed.service.runs - before).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(codeOf(refused[0] as Answer)).toBe('idempotency-in-flight');
    expect(refused[0]?.headers['retry-after']).toBe('1');
    expect((await post('/a/held', { key })).headers[REPLAYED]).toBe('true');
  });

  const OUTCOMES: readonly (readonly [string, string, number, unknown])[] = [
    ['an error of the service', '/a/wrong', 1, 500],
    ['a refusal of the service', '/a/refusing', 1, 404],
    ['an answer without a body', '/a/empty', 1, 204],
    ['an answer in pieces', '/a/pieces', 1, 200],
    ['a service that says it has done nothing', '/a/busy', 2, 429],
    ['a service that cannot be reached', '/gone/x', 0, 'upstream-unreachable'],
    ['a service that breaks off', '/a/reset', 1, 'idempotency-outcome-unknown'],
    ['one that may be asked again', '/again/reset', 2, 'upstream-unreachable'],
    ['an answer that is too large', '/a/large', 1, 'idempotency-not-replayable'],
    ['a stream of events', '/a/events', 1, 'idempotency-not-replayable'],
    ['a handler that answers nothing', '/team/nothing', 1, 204],
    ['a handler that says no', '/team/missing', 1, 'resource-not-found'],
    ['a handler with a bug', '/team/broken', 1, 'idempotency-outcome-unknown'],
    ['a handler that is not called', '/team/checked', 0, 'request-invalid'],
  ];
  it.each(OUTCOMES)('know %s', async (_what, path, runs, expected) => {
    const method = path === '/team/nothing' ? 'PATCH' : 'POST';
    const result = await twice(path, { method });
    expect(codeOf(result.second)).toBe(expected);
    expect(result.runs).toBe(runs);
    if (runs === 1 && typeof expected === 'number') {
      expect(result.second.headers[REPLAYED]).toBe('true');
      expect(result.second.text).toBe(result.first.text);
    }
  });

  it('know an answer that was cut', async () => {
    const key = randomUUID();
    await expect(post('/a/cut', { key })).rejects.toThrow();
    expect(codeOf(await post('/a/cut', { key }))).toBe('idempotency-outcome-unknown');
  });

  it('know nothing of a request that was refused because too many were under way', async () => {
    const [first, key] = [randomUUID(), randomUUID()];
    const before = keyed.service.runs;
    const underWay = post('/single/held', { key: first });
    await keyed.service.holds(1);
    for (let turn = 0; turn < 2; turn += 1)
      expect(codeOf(await post('/single/b', { key }))).toBe('concurrency-limited');
    keyed.service.release();
    expect((await underWay).status).toBe(201);
    const run = await post('/single/b', { key });
    expect([run.status, run.headers[REPLAYED]]).toEqual([201, undefined]);
    expect((await post('/single/b', { key })).headers[REPLAYED]).toBe('true');
    expect(keyed.service.runs - before).toBe(2);
  });

  it('tell an answer as it was edited, once, with the fields of the moment', async () => {
    const headers = { origin: 'https://page.example', 'accept-encoding': 'identity' };
    const { first, second, runs } = await twice('/edited/b', { headers });
    expect(runs).toBe(1);
    expect(second.text).toBe(first.text);
    expect(second.text).not.toContain('s3cret');
    for (const name of ['x-set', 'access-control-allow-origin', 'ratelimit', REPLAYED])
      expect(String(second.headers[name] ?? '').split(',')).toHaveLength(1);
    expect(second.headers).toMatchObject({ 'x-set': 'here', [REPLAYED]: 'true' });
    const zipped = await post('/edited/b', { key: randomUUID(), headers: { 'accept-encoding': 'gzip' } });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    const handler = await twice('/team/edited');
    expect(handler.second).toMatchObject({ status: 201, text: handler.first.text });
    expect(handler.second.json()).toEqual({ wrapped: { run: expect.any(Number) } });
    expect(handler.runs).toBe(1);
  });

  it('compare bodies that stream on, too', async () => {
    const key = randomUUID();
    const body = 'x'.repeat(300_000);
    const before = keyed.service.runs;
    const first = await post('/a/b', { key, body });
    expect(first.headers['x-length']).toBe('300000');
    expect((await post('/a/b', { key, body })).headers[REPLAYED]).toBe('true');
    expect(codeOf(await post('/a/b', { key, body: `${body.slice(1)}y` }))).toBe('idempotency-key-reused');
    expect(codeOf(await post('/a/b', { key, body: 'short' }))).toBe('idempotency-key-reused');
    expect(keyed.service.runs - before).toBe(1);
  });

  it.each(['/a/held', '/a/halves'])('keep the answer for a client that has left %s', async (path) => {
    const key = randomUUID();
    const before = keyed.service.runs;
    const socket = connect(Number(new URL(keyed.gateway.url).port), '127.0.0.1');
    const fields = `x-api-key: ${apiKeyOf('ann')}\r\nidempotency-key: ${key}\r\ncontent-type: application/json`;
    socket.write(`POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${fields}\r\ncontent-length: 2\r\n\r\n{}`);
    await keyed.service.holds(1);
    if (path === '/a/halves') await once(socket, 'data');
    socket.destroy();
    await sleep(20);
    expect(codeOf(await post(path, { key }))).toBe('idempotency-in-flight');
    keyed.service.release();
    let answer = await post(path, { key });
    while (answer.status === 409) answer = await post(path, { key });
    expect(answer.headers[REPLAYED]).toBe('true');
    if (path === '/a/halves') expect(answer.text).toBe('half whole');
    expect(keyed.service.runs - before).toBe(1);
    const [line] = await keyed.gateway.linesWhere((one) => one['status'] === 499 && one['path'] === path);
    expect(line).toMatchObject({ cut: true });
  });

  it('know nothing of a client that leaves within its request', async () => {
    const key = randomUUID();
    const { port } = new URL(keyed.gateway.url);
    const socket = connect(Number(port), '127.0.0.1');
    const fields = `x-api-key: ${apiKeyOf('ann')}\r\nidempotency-key: ${key}\r\ncontent-type: application/json`;
    socket.write(`POST /a/b HTTP/1.1\r\nhost: 127.0.0.1\r\n${fields}\r\ncontent-length: 2\r\n\r\n{`);
    await sleep(20);
    socket.destroy();
    expect((await post('/a/b', { key })).status).toBe(201);
  });

  it('are refused where they are none, or nobody knows whose', async () => {
    const invalid = [{ key: '' }, { key: '"a' }, { key: 'a b' }, { key: 'x'.repeat(256) }, { key: 'a, b' }];
    for (const options of invalid)
      expect(codeOf(await post('/a/b', options))).toBe('idempotency-key-invalid');
    expect(codeOf(await post('/required/b'))).toBe('idempotency-key-invalid');
    expect((await post('/a/b')).status).toBe(201);
    expect((await post('/required/b', { key: 'x'.repeat(255) })).status).toBe(201);
    expect(
      (await call(`${keyed.gateway.url}/required/b`, { headers: { 'x-api-key': apiKeyOf('ann') } })).status,
    ).toBe(201);
    const anonymous = await twice('/open/b', { as: 'nobody' });
    expect(anonymous.second.headers[REPLAYED]).toBe('true');
    expect(anonymous.runs).toBe(1);
  });

  it('are found by where the bounds are', async () => {
    const sized = async (path: string, options: KeyedCall) =>
      (await twice(path, options)).second.headers[REPLAYED];
    expect(await sized('/a/2048', {})).toBe('true');
    expect(await sized('/a/2049', {})).toBeUndefined();
    // One that is held is compared at once; of a larger one nobody knows yet.
    for (const [length, code] of [[4096, 'idempotency-key-reused'], [4097, 'idempotency-in-flight']] as const) {
      const key = randomUUID();
      const first = post('/a/held', { key, body: 'x'.repeat(length) });
      await keyed.service.holds(1);
      expect(codeOf(await post('/a/held', { key, body: 'y'.repeat(length) }))).toBe(code);
      keyed.service.release();
      await first;
    } // prettier-ignore
  });

  it('stand in the contract, where they can be sent', async () => {
    const contract = (
      await call(`${keyed.gateway.url}/openapi.json`, { headers: { 'x-api-key': apiKeyOf('ann') } })
    ).json<Contract>();
    const at = (path: string, method: string) => contract.paths[path]?.[method];
    expect(at('/required/{rest}', 'post')?.parameters).toContainEqual(
      expect.objectContaining({ ...PARAMETER, required: true }),
    );
    expect(at('/a/{rest}', 'patch')?.parameters).toContainEqual(expect.objectContaining(PARAMETER));
    expect(at('/a/{rest}', 'get')?.parameters).not.toContainEqual(expect.objectContaining(PARAMETER));
    expect(Object.keys(at('/a/{rest}', 'post')?.responses ?? {})).toEqual(
      expect.arrayContaining(['400', '409', '422', '503']),
    );
  });

  it('count', async () => {
    const metrics = await keyed.metrics();
    for (const outcome of ['run', 'replayed', 'reused', 'in-flight', 'kept', 'not-kept', 'released', 'lost'])
      expect(metrics).toContain(`gatehouse_idempotency_total{route="a",outcome="${outcome}"}`);
  });
});

interface Contract {
  readonly paths: Readonly<
    Record<string, Record<string, { readonly parameters: readonly unknown[]; readonly responses: object }>>
  >;
}

describe('kept answers', () => {
  it('are encrypted where the route says so, each for its own key', async () => {
    const keyed = stores['in Redis'] as KeyedGateway;
    const client = redis.client();
    await client.flushall();
    await keyed.post('/a/b', { key: 'one' });
    await keyed.post('/plain/b', { key: 'one' });
    // Replicas tell one another that they live, whenever they do.
    const kept = (await client.keys('*')).filter((key) => key !== 'gatehouse:replicas');
    expect(kept).toEqual([expect.stringMatching(/^idempotency:[\w-]{43}$/)]);
    const [name = ''] = kept;
    expect(JSON.stringify(await client.hgetall(name))).not.toMatch(/s3cret|ann|\bone\b|application/);
    expect(await client.ttl(name)).toBeGreaterThan(86_000);
    await keyed.post('/a/b', { key: 'two' });
    const other = (await client.keys('*')).find((one) => one !== name) ?? '';
    await client.hset(other, 'answer', (await client.hgetBuffer(name, 'answer')) as Buffer);
    expect(codeOf(await keyed.post('/a/b', { key: 'two' }))).toBe('idempotency-not-replayable');
  });

  it('are harmed by nothing else under their names', async () => {
    const keyed = stores['in Redis'] as KeyedGateway;
    const client = redis.client();
    await client.flushall();
    await keyed.post('/a/b', { key: 'one' });
    const [name = ''] = await client.keys('*');
    await client.set(name, 'a text');
    expect((await keyed.post('/a/b', { key: 'one' })).status).toBe(201);
    expect((await keyed.post('/a/b', { key: 'one' })).headers[REPLAYED]).toBe('true');
  });
});

describe('options that could not hold', () => {
  const service = { upstream: { url: 'http://127.0.0.1:1' } } as CountingService;
  const FAULTS: readonly (readonly [string, readonly (readonly [object, string])[]])[] = [
    [
      'by what it says',
      [
        [
          { idempotency: { encryptionKeysEnv: 'A', encryptionKeysFile: 'b' } },
          'expected one of `encryptionKeysEnv` and `encryptionKeysFile`',
        ],
        [{ idempotency: { lease: '99ms' } }, 'expected at least 100ms'],
      ],
    ],
    [
      'by what it names, or is beside',
      [
        [{ authentication: 'public', idempotency: {} }, 'idempotency.anonymous'],
        [{ idempotency: { encryptionKeysEnv: 'NOT_SET' } }, 'idempotency.encryptionKeysEnv'],
        [{ idempotency: { encryptionKeysFile: '/nowhere' } }, 'cannot read /nowhere (ENOENT)'],
        [{ idempotency: { encryptionKeysFile: 'package.json' } }, '32 characters or more'],
      ],
    ],
  ];
  it.each(FAULTS)('keep a gateway from starting, each of them %s', async (_what, faults) => {
    const routes = Object.fromEntries(faults.map(([policies], index) => [`/${index}`, policies]));
    const told = await checkGateway({ config: keyedConfig(service, { routes }) }).catch(String);
    for (const [, fault] of faults) expect(told).toContain(fault);
  });
});
