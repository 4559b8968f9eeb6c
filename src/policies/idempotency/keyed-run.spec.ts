import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createExchange, createPrincipal } from '../../../test/support/exchange.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { KeyRing } from '../authentication/login/key-ring.ts';
import { viewOf } from './asked.ts';
import { AnswerBytes, replayOf } from './kept-answer.ts';
import { MemoryKeyRecords } from './key-records.memory.ts';
import type { Claim } from './key-records.ts';
import { AloneRuns } from './alone-runs.ts';
import { KeyedRun, type RunDeps } from './keyed-run.ts';

const claimOf = (name: string): Claim => ({
  name,
  owner: name,
  fingerprint: { head: 'h', body: 'b' },
  leaseMs: Infinity,
  ttlMs: 60_000,
});

describe('a run whose client has left', () => {
  const records = new MemoryKeyRecords();
  const deps: RunDeps = {
    routeId: 'r',
    records,
    bytes: new AnswerBytes(),
    counts: new Metrics().idempotency,
    maxAnswer: 10,
    retryable: new Set(),
    isOpen: false,
    runsUnknown: false,
    policies: {},
    alone: new AloneRuns(1),
  };
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  async function begun(name: string): Promise<KeyedRun> {
    await records.claim(claimOf(name), false);
    const exchange = createExchange({ method: 'POST' });
    exchange.request.complete = true;
    const run = new KeyedRun(exchange, claimOf(name), deps);
    await run.begin();
    return run;
  }

  it('goes on, but no more of them than there may be', async () => {
    const [first, second] = [await begun('one'), await begun('two')];
    const ended: string[] = [];
    expect(first.outlives(() => ended.push('first'))).toBe(true);
    expect(second.outlives(() => undefined)).toBe(false);
    first.head(200, []);
    await first.ended();
    await Promise.resolve();
    expect(ended).toEqual(['first']);
    expect(second.outlives(() => undefined)).toBe(true);
    await second.ended();
  });

  it('is given up after a minute', async () => {
    const run = await begun('three');
    const ended = new Promise<void>((resolve) => expect(run.outlives(resolve)).toBe(true));
    jest.advanceTimersByTime(60_000);
    await ended;
    expect(await records.claim(claimOf('three'), false)).toMatchObject({ state: 'unknown' });
  });

  it('does not go on before it has begun', async () => {
    const exchange = createExchange({ method: 'POST' });
    exchange.request.complete = true;
    expect(new KeyedRun(exchange, claimOf('four'), deps).outlives(() => undefined)).toBe(false);
  });
});

describe('kept answers', () => {
  const answer = { status: 201, headers: ['a', 'b'], body: Buffer.from([0, 10, 255]), view: 'v' };

  it('come back byte by byte, for their own record, under any of the keys', () => {
    const [old, young] = ['o'.repeat(32), 'y'.repeat(32)];
    const before = new AnswerBytes(new KeyRing([old], 'test'));
    const after = new AnswerBytes(new KeyRing([young, old], 'test'));
    expect(after.read(before.write(answer, 'one'), 'one')).toEqual(answer);
    expect(after.read(before.write(answer, 'one'), 'two')).toBeUndefined();
    expect(before.read(after.write(answer, 'one'), 'one')).toBeUndefined();
    expect(new AnswerBytes().read(before.write(answer, 'one'), 'one')).toBeUndefined();
    expect(new AnswerBytes().read(new AnswerBytes().write(answer, 'one'), 'two')).toEqual(answer);
  });

  it('come back with the fields behind them, and then without a length', () => {
    const trailers = ['x-digest', 'abc'];
    const read = new AnswerBytes().read(new AnswerBytes().write({ ...answer, trailers }, 'one'), 'one');
    expect(read).toEqual({ ...answer, trailers });
    expect(replayOf({ ...answer, trailers })).toMatchObject({
      headers: ['a', 'b', 'idempotent-replayed', 'true'],
      trailers,
    });
    expect(replayOf(answer).headers).toContain('content-length');
  });

  it.each(['', '{', '{\n', 'x'])('cannot be %j', (text) => {
    expect(new AnswerBytes().read(Buffer.from(text), 'one')).toBeUndefined();
  });

  it('are for the rights and the edits that they were made for', () => {
    const view = (more: object, response?: object): string =>
      viewOf(createExchange({ principal: createPrincipal('ann', more) }), {
        ...(response && { transform: { response } as never }),
      });
    expect(view({ roles: ['a', 'b'] })).toBe(view({ roles: ['b', 'a'] }));
    const different = [{}, { roles: ['a'] }, { permissions: ['a'] }, { scopes: ['a'] }].map((more) =>
      view(more),
    );
    expect(new Set([...different, view({}, { maskFields: ['a'] })]).size).toBe(5);
  });
});
