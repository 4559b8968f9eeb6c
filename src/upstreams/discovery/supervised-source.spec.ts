import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createLogger } from '../../telemetry/logger.ts';
import type { TargetOptions } from '../target.schema.ts';
import { Unknown, type Asking, type DiscoverySource, type Known } from './discovery-source.ts';
import { SupervisedSource, type SupervisionOptions } from './supervised-source.ts';

type Step = Known | Error | 'hang';

/** A source that does what a list says, and repeats the last of it. */
class Scripted implements DiscoverySource {
  readonly longestMs: number = 10_000;
  readonly askedAt: number[] = [];
  readonly asked: Asking[] = [];
  steps: Step[];
  isClosed = false;

  constructor(...steps: Step[]) {
    this.steps = steps;
  }

  next(asking: Asking): Promise<Known> {
    this.askedAt.push(performance.now());
    this.asked.push(asking);
    const step = (this.steps.length > 1 ? this.steps.shift() : this.steps[0]) as Step;
    if (step === 'hang') return new Promise(() => undefined);
    return step instanceof Error ? Promise.reject(step) : Promise.resolve(step);
  }

  close(): void {
    this.isClosed = true;
  }
}

const target = (host: string): TargetOptions => ({
  url: `http://${host}`,
  weight: 1,
  labels: {},
  priority: 0,
});
const known = (hosts: string, waitMs = 1000): Known => ({
  targets: [...hosts].map(target),
  skipped: [],
  waitMs,
});
const hostsOf = (targets: readonly TargetOptions[]) => targets.map(({ url }) => url.slice(7)).join('');
const ill = new Unknown('registry is ill');

let lines: { readonly level: number; readonly msg: string }[];
let made: SupervisedSource | undefined;

beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
});
afterEach(() => {
  made?.stop();
  jest.useRealTimers();
});

function supervise(source: DiscoverySource, more: Partial<SupervisionOptions> = {}) {
  const logger = createLogger('info', {
    write: (line: string) => void lines.push(JSON.parse(line) as never),
  });
  const seen: string[] = [];
  made = new SupervisedSource(source, {
    upstream: 'users',
    what: 'test x',
    emptyGraceMs: 3000,
    maxStaleMs: 60_000,
    firstAnswerMs: 5000,
    logger,
    random: () => 0.999_999,
    ...more,
  });
  made.subscribe((targets) => seen.push(hostsOf(targets)));
  made.start();
  return { supervised: made, seen };
}
const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const said = (text: string) => lines.filter(({ msg }) => msg.includes(text)).length;

describe('SupervisedSource', () => {
  it('publishes what it hears, and only when that changes', async () => {
    const source = new Scripted(known('ab'), known('ba'), known('abc'), known('abc'));
    const { seen, supervised } = supervise(source);
    await pass(10_000);
    expect(seen).toEqual(['ab', 'abc']);
    expect(hostsOf(supervised.targets)).toBe('abc');
    expect(said('the targets have changed')).toBe(2);
  });

  it('keeps the last known set through errors, and says so once', async () => {
    const source = new Scripted(known('ab'), ill);
    const { seen, supervised } = supervise(source, { maxStaleMs: 1_000_000 });
    await pass(300_000);
    expect(seen).toEqual(['ab']);
    expect(said('cannot be asked')).toBe(1);
    expect(supervised.describe()).toMatchObject({
      state: 'failing',
      lastError: { message: 'registry is ill' },
    });
    source.steps = [known('b')];
    await pass(31_000);
    expect(seen).toEqual(['ab', 'b']);
    expect(supervised.describe()).toMatchObject({ state: 'healthy' });
    expect(said('answers again')).toBe(1);
  });

  it('waits a random part of 0.5 s, doubled up to 30 s', async () => {
    const source = new Scripted(ill);
    supervise(source);
    await pass(150_000);
    const waits = source.askedAt
      .slice(1)
      .map((at, index) => Math.round((at - (source.askedAt[index] ?? 0)) / 100) / 10);
    expect(waits.slice(0, 8)).toEqual([0.5, 1, 2, 4, 8, 16, 30, 30]);
  });

  it('begins with short waits again only after 10 s of health', async () => {
    const source = new Scripted(
      ill,
      ill,
      ill,
      known('a', 5000),
      ill,
      known('a', 11_000),
      ill,
      known('a', 1e6),
    );
    supervise(source);
    await pass(60_000);
    const waits = source.askedAt
      .slice(1)
      .map((at, index) => Math.round((at - (source.askedAt[index] ?? 0)) / 100) / 10);
    expect(waits).toEqual([0.5, 1, 2, 5, 4, 11, 0.5]);
  });

  it('never spins, whatever chance says', async () => {
    const source = new Scripted(ill);
    supervise(source, { random: () => 0 });
    await pass(1000);
    expect(source.asked.length).toBeLessThanOrEqual(51);
  });

  it('leaves a registry alone for as long as that wants', async () => {
    const source = new Scripted(new Unknown('busy', { afterMs: 20_000 }));
    supervise(source);
    await pass(19_900);
    expect(source.asked).toHaveLength(1);
    await pass(200);
    expect(source.asked).toHaveLength(2);
  });

  it('gives a question up after twice the longest time, and asks again', async () => {
    const source = new Scripted('hang', known('a'));
    const { seen } = supervise(source);
    await pass(19_900);
    expect([source.asked.length, source.asked[0]?.signal.aborted]).toEqual([1, false]);
    await pass(700);
    expect(source.asked[0]?.signal.aborted).toBe(true);
    expect(seen).toEqual(['a']);
  });

  it('goes on after an error that nobody foresaw', async () => {
    const source = new Scripted(known('a'), new TypeError('x is not a function'), known('b'));
    const { seen } = supervise(source);
    await pass(5000);
    expect(seen).toEqual(['a', 'b']);
  });

  it('publishes at once, and then at most once in 250 ms', async () => {
    const steps = [...'abcdefghij'].map((host) => known(host, 20));
    const { seen } = supervise(new Scripted(...steps));
    await pass(10);
    expect(seen).toEqual(['a']);
    await pass(1000);
    expect(seen).toEqual(['a', 'j']);
  });

  it('says nothing of what has changed back before it was published', async () => {
    const source = new Scripted(known('a', 20), known('b', 20), known('a', 1e6));
    const { seen } = supervise(source);
    await pass(1000);
    expect(seen).toEqual(['a']);
  });

  it('is not emptied by the first answer without targets, but by others after a while', async () => {
    const source = new Scripted(known('a'), known(''));
    const { seen, supervised } = supervise(source);
    await pass(1500);
    expect(supervised.describe()).toMatchObject({
      state: 'held',
      held: expect.stringContaining('no target'),
    });
    await pass(2400);
    expect(seen).toEqual(['a']);
    await pass(1000);
    expect(seen).toEqual(['a', '']);
    expect(supervised.describe()).toMatchObject({ state: 'healthy', held: undefined });
  });

  it('wants an answer in time while it doubts', async () => {
    const source = new Scripted(known('a', 0), known('', 0), 'hang');
    supervise(source);
    await pass(100);
    expect(source.asked.map(({ withinMs }) => withinMs)).toEqual([Infinity, Infinity, 2980]);
  });

  it('is not emptied by a registry that is ill in between', async () => {
    const steps = Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? known('') : ill));
    const { seen } = supervise(new Scripted(known('a'), ...steps), { random: () => 0 });
    await pass(40_000);
    expect(seen).toEqual(['a']);
  });

  it('doubts for half a minute, or two looks, unless told otherwise', async () => {
    const source = new Scripted(known('a', 40_000), known('', 40_000));
    const { seen } = supervise(source, { emptyGraceMs: undefined });
    await pass(40_000 + 79_000);
    expect(seen).toEqual(['a']);
    await pass(2000);
    expect(seen).toEqual(['a', '']);
  });

  it.each([
    [
      'entries of which none can be used',
      { targets: [], skipped: ['entry 0: has no port'], waitMs: 0 },
      'none of 1',
    ],
    [
      'too many',
      { targets: Array.from({ length: 10_001 }, () => target('a')), skipped: [], waitMs: 0 },
      'at most 10000',
    ],
  ])('does not believe %s', async (_what, bad, reason) => {
    const { seen, supervised } = supervise(new Scripted(known('a'), bad));
    await pass(2000);
    expect(seen).toEqual(['a']);
    expect(supervised.describe().lastError?.message).toContain(reason);
  });

  it('takes as many as 10 000', async () => {
    const targets = Array.from({ length: 10_000 }, (_, index) => target(`h${index}`));
    const { supervised } = supervise(new Scripted({ targets, skipped: [], waitMs: 1e6 }));
    await pass(10);
    expect(supervised.targets).toHaveLength(10_000);
  });

  it('warns once of what is old, and removes nothing', async () => {
    const { supervised } = supervise(new Scripted(known('a'), ill));
    await pass(59_000);
    expect(said('has not answered for long')).toBe(0);
    await pass(200_000);
    expect(said('has not answered for long')).toBe(1);
    expect(hostsOf(supervised.targets)).toBe('a');
    expect(supervised.describe().state).toBe('stale');
    expect(supervised.describe().ageMs).toBeGreaterThan(250_000);
  });

  it('is waited for until it answers, or is overdue', async () => {
    const { supervised } = supervise(new Scripted('hang'));
    expect(supervised.isAwaited).toBe(true);
    await pass(4900);
    expect([supervised.isAwaited, supervised.describe().state]).toEqual([true, 'starting']);
    await pass(200);
    expect(supervised.isAwaited).toBe(false);
    expect(said('nobody waits for it any longer')).toBe(1);
  });

  it('asks no more once it is stopped', async () => {
    const source = new Scripted(known('a'), 'hang');
    const { supervised } = supervise(source);
    await pass(1500);
    supervised.stop();
    await pass(60_000);
    expect(source).toMatchObject({ isClosed: true, asked: { length: 2 } });
    expect(source.asked[1]?.signal.aborted).toBe(true);
    expect(lines.filter(({ level }) => level > 30)).toEqual([]);
  });
});
