import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { Problem } from '../problems/problem.ts';
import { BOB, exchangeFor, problemOf, until } from '../upstreams/grpc/call.fixture.ts';
import { ADA, contextOf, ThingsBed, thingSchema, type Thing } from './calls.fixture.ts';
import type { HttpBatchOptions } from './http-batch.ts';
import { httpUpstream, type HttpCallOptions } from './http-upstream.ts';

interface Input {
  readonly id: string;
  readonly lang?: string;
}

const things = httpUpstream('things');
const batch = { path: '/things', ids: 'ids', max: 3, list: 'items', key: ({ id }: Thing) => id } as const;

function declare(
  more: Partial<HttpBatchOptions<Input, Thing>> = {},
  options: Partial<HttpCallOptions<Input, Thing>> = {},
) {
  return things.get<Input, Thing>('things.get', '/things/{id}', {
    decode: thingSchema,
    query: ['lang'],
    ...options,
    batch: { ...batch, ...more },
  });
}

const getThing = declare();

describe('calls that travel together', () => {
  let bed: ThingsBed;

  beforeAll(async () => {
    bed = await ThingsBed.start();
  });
  beforeEach(() => {
    bed.answerThings();
    bed.asked();
  });
  afterAll(() => bed.stop());

  /** Starts calls in one turn, each after another number of promises, as resolvers do. */
  const all = (ids: readonly string[], context = contextOf(), call = getThing) =>
    Promise.allSettled(
      ids.map(async (id, index) => {
        for (let tick = 0; tick < index % 4; tick += 1) await Promise.resolve();
        const thing = await bed.caller.call(call, { id }, context);
        return thing?.name;
      }),
    ).then((outcomes) =>
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.code)),
    );

  it('become one request, each with its own value, duplicates once', async () => {
    const context = contextOf();
    const names = await all(['3', '1', '2', '1', '3'], context);
    expect(names).toEqual(['thing 3', 'thing 1', 'thing 2', 'thing 1', 'thing 3']);
    const [request, ...others] = bed.asked();
    expect([new URL(request ?? '', 'http://x').searchParams.get('ids')?.split(',').sort(), others]).toEqual([
      ['1', '2', '3'],
      [],
    ]);
    expect(context.exchange.attempts).toHaveLength(1);
    expect(context.exchange.upstream).toBe('things');
  });

  it('serve 20 with one request, and later ones of the same exchange without any', async () => {
    const context = contextOf();
    const ids = Array.from({ length: 20 }, (_, id) => String(id));
    const call = declare({ max: 50 });
    expect(await all(ids, context, call)).toEqual(ids.map((id) => `thing ${id}`));
    expect(await all(['7'], context, call)).toEqual(['thing 7']);
    expect(bed.asked()).toHaveLength(1);
  });

  it('are split by the largest number the upstream takes, in parallel', async () => {
    bed.hold();
    const outcome = all(['1', '2', '3', '4', '5', '6', '7']);
    await bed.holds(2 + 1);
    const urls = bed.held.map(({ req }) => decodeURIComponent(req.url ?? ''));
    expect(urls.filter((url) => url.startsWith('/things?ids=')).map((url) => url.split(',').length)).toEqual([
      3, 3,
    ]);
    bed.release();
    expect(await outcome).toEqual(['1', '2', '3', '4', '5', '6', '7'].map((id) => `thing ${id}`));
  });

  it('are split when their ids would make the address too long', async () => {
    const ids = ['1', '2', '3'].map((digit) => digit.repeat(1500));
    await all(ids);
    expect(bed.asked().map((url) => url.length < 4500)).toEqual([true, true]);
  });

  it('make the plain call when there is one only', async () => {
    expect(await all(['1'])).toEqual(['thing 1']);
    expect(bed.asked()).toEqual(['/things/1']);
  });

  it('fail alone when one id does not exist, or are what the declaration says', async () => {
    expect(await all(['1', 'x', '2'])).toEqual(['thing 1', 'resource-not-found', 'thing 2']);
    const orNobody = declare({ missing: { id: '', name: 'nobody' } });
    expect(await all(['1', 'x', '2'], contextOf(), orNobody)).toEqual(['thing 1', 'nobody', 'thing 2']);
    expect(await all(['y'], contextOf(), orNobody)).toEqual(['nobody']);
  });

  it('can be null where the type says so', async () => {
    const orNull = things.get<Input, Thing | null>('things.maybe', '/things/{id}', {
      decode: thingSchema,
      batch: { ...batch, key: (thing) => thing?.id ?? '', missing: null },
    });
    const exchange = exchangeFor();
    const values = ['1', 'x'].map((id) =>
      bed.caller.call(orNull, { id }, contextOf(BOB, Infinity, exchange)),
    );
    expect(await Promise.all(values)).toEqual([{ id: '1', name: 'thing 1' }, null]);
  });

  it('fail alone when one element is garbage, with its place in the cause only', async () => {
    bed.answer(200, {
      items: [
        { id: '1', name: 'one' },
        { id: '2', name: ['SECRET'] },
      ],
    });
    const context = contextOf();
    const good = bed.caller.call(getThing, { id: '1' }, context);
    const bad = bed.caller.call(getThing, { id: '2' }, context);
    const missing = bed.caller.call(getThing, { id: '3' }, context);
    const problem = (await bad.catch((error: unknown) => error)) as Problem;
    expect([await good, await problemOf(missing)]).toEqual([{ id: '1', name: 'one' }, 'resource-not-found']);
    expect([problem.code, problem.detail]).toEqual(['upstream-response-invalid', undefined]);
    expect(String(problem.cause)).toMatch(/things\.get: \/items\/1\/name: /);
    expect(String(problem.cause)).not.toContain('SECRET');
  });

  it('do not call an id missing when an element might have been its own', async () => {
    bed.answer(200, { items: [{ id: '1', name: 'one' }, null] });
    expect(await all(['1', '2'])).toEqual(['one', 'upstream-response-invalid']);
  });

  it.each([{ items: 5 }, [], null, 'x'])('fail together when the answer is %j', async (answer) => {
    bed.answer(200, answer);
    const context = contextOf();
    const problems = await Promise.all(
      ['1', '2'].map((id) => bed.caller.call(getThing, { id }, context).catch((error: unknown) => error)),
    );
    expect(problems[0]).toBe(problems[1]);
    expect(String((problems[0] as Problem).cause)).toContain('things.get: /items: expected a list');
  });

  it('fail together, with the same problem, when the request fails', async () => {
    bed.answer(500);
    expect(await all(['1', '2'])).toEqual(['upstream-rejected', 'upstream-rejected']);
    expect(bed.asked()).toHaveLength(1);
  });

  it('ignore elements that nobody asked for', async () => {
    bed.answer(200, { items: ['9', '1', '2', '1'].map((id, place) => ({ id, name: `${id} at ${place}` })) });
    expect(await all(['1', '2'])).toEqual(['1 at 1', '2 at 2']);
  });

  it('never meet those of another exchange, another principal or another rest of the input', async () => {
    const socket = contextOf();
    const calls = [
      bed.caller.call(getThing, { id: '1' }, contextOf()),
      bed.caller.call(getThing, { id: '2' }, contextOf()),
      bed.caller.call(getThing, { id: '3', lang: 'de' }, socket),
      bed.caller.call(getThing, { id: '4', lang: 'de' }, socket),
      bed.caller.call(getThing, { id: '5' }, socket),
    ];
    socket.exchange.principal = ADA;
    calls.push(bed.caller.call(getThing, { id: '6' }, socket));
    await Promise.all(calls);
    const expected = ['/things/1', '/things/2', '/things/5', '/things/6', '/things?lang=de&ids=3,4'];
    expect(bed.asked().sort()).toEqual(expected);
  });

  it('meet across exchanges when they are public, without an identity', async () => {
    const call = declare({}, { share: 'public' });
    bed.hold();
    const values = [BOB, ADA].map((who, id) => bed.caller.call(call, { id: `${id}` }, contextOf(who)));
    await bed.holds(1);
    const [{ req } = { req: undefined }] = bed.held;
    expect([req?.url, req?.headers['x-user-id']]).toEqual(['/things?ids=0,1', undefined]);
    const items = ['0', '1'].map((id) => ({ id, name: `thing ${id}` }));
    bed.held[0]?.end(JSON.stringify({ items }));
    expect(await Promise.all(values)).toEqual(items);
  });

  it('leave one by one, and end the request with the last', async () => {
    bed.hold();
    const { exchange } = contextOf();
    const call = (id: string, timeoutMs: number) =>
      bed.caller.call(getThing, { id }, { exchange, timeoutMs });
    const [hasty, patient] = [problemOf(call('1', 40)), problemOf(call('2', 10_000))];
    expect(await hasty).toBe('upstream-timeout');
    expect(bed.aborted).toBe(0);
    exchange.cancel(new Problem('client-closed'));
    expect(await patient).toBe('client-closed');
    await until(() => bed.aborted === 1);
  });

  it('ask for nobody who left before the turn was over', async () => {
    const context = contextOf();
    const outcomes = ['1', '2'].map((id) => problemOf(bed.caller.call(getThing, { id }, context)));
    context.exchange.cancel(new Problem('client-closed'));
    expect(await Promise.all(outcomes)).toEqual(['client-closed', 'client-closed']);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(bed.asked()).toEqual([]);
  });

  it('keep an id with a comma from being read as two', async () => {
    expect(await all(['1', '2', '1,2'])).toEqual(['thing 1', 'thing 2', 'resource-not-found']);
    expect(bed.asked().sort()).toEqual(['/things/1%2C2', '/things?ids=1,2']);
  });

  it('repeat the parameter where the upstream wants that', async () => {
    bed.answer(200, { items: [] });
    await all(['1', 'a&b'], contextOf(), declare({ format: 'repeated' }));
    expect(bed.asked()).toEqual(['/things?ids=1&ids=a%26b']);
  });

  it('refuse an id that leads elsewhere, alone', async () => {
    expect(await all(['1', '..', '2'])).toEqual(['thing 1', 'request-invalid', 'thing 2']);
    expect(bed.asked()).toEqual(['/things?ids=1,2']);
  });

  it('are declared with the field that holds the id when the path does not tell', () => {
    const two = (by?: 'id' | 'org') => () =>
      things.get<{ org: string; id: string }, Thing>('things.two', '/orgs/{org}/things/{id}', {
        decode: z.unknown() as unknown as typeof thingSchema,
        batch: { ...batch, path: '/orgs/{org}/things', ...(by === undefined ? {} : { by }) },
      });
    expect(two()).toThrow('the call things.two: `batch.by`: name the field of the input that holds the id');
    expect(two('id')().description.batch).toEqual({ operation: 'GET /orgs/{org}/things?ids=', max: 3 });
  });
});
