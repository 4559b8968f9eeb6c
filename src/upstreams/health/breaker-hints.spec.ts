import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BreakerHints, type HintChannel } from './breaker-hints.ts';
import { WatchWorld } from './watch-world.fixture.ts';

let world: WatchWorld;
let hear: (message: string) => void = () => {};
let said: string[];

const channel: HintChannel = {
  publish: (name, message) => {
    said.push(`${name} ${message}`);
    return Promise.reject(new Error('there is no Redis'));
  },
  listen: (_name, listener) => {
    hear = listener;
    return () => (hear = () => {});
  },
};

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  said = [];
  world = new WatchWorld(2);
  hints().start(channel);
});

afterEach(() => {
  world.end();
  jest.useRealTimers();
});

const hints = (): BreakerHints =>
  new BreakerHints('me', (upstream, origin) =>
    world.watches.filter((one) => upstream === 'u' && one.origin === origin),
  );

const hint = (more: object = {}): string =>
  JSON.stringify({
    from: 'other',
    upstream: 'u',
    target: 'a',
    state: 'open',
    generation: 2,
    at: Date.now(),
    openForMs: 30_000,
    ...more,
  });

const suspects = (): string =>
  world.watches
    .filter(({ breaker }) => breaker?.isSuspect)
    .map(({ host }) => host)
    .join('');

describe('a hint of another replica', () => {
  it('makes the breaker of that target suspect, for as long as it is open there, and opens none', () => {
    hear(hint());
    expect([suspects(), world.at(0).breaker?.state]).toEqual(['a', 'closed']);
    jest.advanceTimersByTime(29_999);
    expect(suspects()).toBe('a');
    jest.advanceTimersByTime(1);
    expect(suspects()).toBe('');
  });

  it('is taken back once it is closed there', () => {
    hear(hint());
    hear(hint({ state: 'closed', generation: 4 }));
    expect(suspects()).toBe('');
  });

  it.each([
    ['of ourselves', { from: 'me' }],
    ['older than it is open', { at: Date.now() - 3_600_000 }],
    ['of another upstream', { upstream: 'v' }],
    ['of another target', { target: 'z' }],
    ['that is half-open', { state: 'half-open' }],
    ['without a time', { at: 'now' }],
    ['that is too long', { from: 'x'.repeat(5000) }],
  ])('is not heeded %s', (_, more) => {
    hear(hint(more));
    expect(suspects()).toBe('');
  });

  it.each(['', 'null', '[]', '{', '"open"'])('is not heeded when it is none: %j', (message) => {
    hear(message);
    expect(suspects()).toBe('');
  });

  it('is not heeded when a later one of the same replica came before; one of another replica is', () => {
    hear(hint({ state: 'closed', generation: 5 }));
    hear(hint({ generation: 4 }));
    expect(suspects()).toBe('');
    hear(hint({ from: 'third', generation: 2 }));
    expect(suspects()).toBe('a');
  });
});

describe('what is told', () => {
  it('is what a breaker came to by itself, not what was done by hand, and a lost Redis harms nobody', async () => {
    const teller = hints();
    teller.start(channel);
    const watch = world.at(0);
    const change = { at: 1, openForMs: 5 } as const;
    teller.tell(watch, { ...change, state: 'open', cause: 'manual' });
    teller.tell(watch, { ...change, state: 'half-open', cause: 'failures' });
    expect(said).toEqual([]);
    teller.tell(watch, { ...change, state: 'open', cause: 'failures' });
    teller.tell(watch, { ...change, state: 'open', cause: 'ejected' });
    await Promise.resolve();
    expect(said).toHaveLength(2);
    teller.stop();
    teller.tell(watch, { ...change, state: 'open', cause: 'failures' });
    expect(said).toHaveLength(2);
  });

  it('is not what others have told already, nor that what was not told of is closed again', () => {
    const teller = hints();
    teller.start(channel);
    const watch = world.at(0);
    const tell = (state: 'open' | 'closed'): void =>
      teller.tell(watch, { at: 1, openForMs: 5, cause: 'failures', state });
    hear(hint());
    tell('open');
    tell('closed');
    expect(said).toEqual([]);
    jest.advanceTimersByTime(30_000);
    tell('open');
    tell('closed');
    tell('closed');
    expect(said.map((message) => /"state":"(\w+)"/.exec(message)?.[1])).toEqual(['open', 'closed']);
  });
});
