import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createExchange } from '../../test/support/exchange.ts';
import type { Route } from '../routing/route.ts';
import { Recorder } from './recorder.ts';
import { Recording, type RecordingOptions } from './recording.ts';

const OPTIONS: RecordingOptions = {
  forMs: 60_000,
  rate: 1,
  max: 100,
  bytes: 2 ** 20,
  perRoute: 100,
  bodies: 0,
  about: { gateway: '1.0.0', config: 'digest' },
  now: () => Date.parse('2026-01-02T03:04:05.000Z'),
};
let ended = 0;

beforeEach(() => {
  ended = 0;
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'performance', 'Date'] });
});
afterEach(() => void jest.useRealTimers());

const begin = (more: Partial<RecordingOptions> = {}): Recording =>
  new Recording({ ...OPTIONS, ...more }, () => (ended += 1));

/** An exchange of a route comes and goes. */
function passes(recording: Recording | Recorder, route = 'any'): void {
  const exchange = createExchange({ target: '/x' });
  exchange.route = { id: route, pattern: { parameters: [] } } as unknown as Route;
  recording.opened(exchange);
  exchange.close();
}

/** All lines so far. */
function linesOf({ lines }: Recording): readonly Record<string, unknown>[] {
  let text = '';
  for (let chunk: unknown = lines.read(); chunk !== null; chunk = lines.read()) text += String(chunk);
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>);
} // prettier-ignore

describe('a recording', () => {
  it('begins with what it is, and ends with how much there was', () => {
    const recording = begin({ max: 2 });
    for (let turn = 0; turn < 3; turn += 1) passes(recording);
    const lines = linesOf(recording);
    expect(lines[0]).toMatchObject({ format: 'gatehouse-sample', version: 1, config: 'digest', started: '2026-01-02T03:04:05.000Z' });
    expect(lines.slice(1, -1).map(({ route }) => route)).toEqual(['any', 'any']);
    expect(lines.at(-1)).toEqual({ end: 'max', recorded: 2, skipped: 0, lost: 0 });
    expect(ended).toBe(1);
  }); // prettier-ignore

  it('ends when its time is over, and when whoever reads leaves', async () => {
    const late = begin({ forMs: 1000 });
    jest.advanceTimersByTime(1000);
    expect(linesOf(late).at(-1)).toMatchObject({ end: 'time' });
    const left = begin();
    left.lines.destroy();
    await new Promise(setImmediate);
    expect(ended).toBe(2);
    passes(left);
  });

  it('leaves out what chance does not choose, and what there is enough of', () => {
    const chances = [0.1, 0.9, 0.2];
    const recording = begin({ rate: 0.5, random: () => chances.shift() ?? 0, perRoute: 1 });
    passes(recording);
    passes(recording);
    passes(recording);
    passes(recording, 'rare');
    recording.end('stopped');
    const lines = linesOf(recording);
    expect(lines.slice(1, -1).map(({ route }) => route)).toEqual(['any', 'rare']);
    expect(lines.at(-1)).toMatchObject({ recorded: 2, skipped: 2 });
  });

  it('has no more bytes than it may, but for its end', () => {
    const recording = begin({ bytes: 1024 });
    for (let turn = 0; turn < 20; turn += 1) passes(recording);
    const lines = linesOf(recording);
    const whole = lines.slice(0, -1).map((line) => `${JSON.stringify(line)}\n`).join('');
    expect(whole.length).toBeLessThanOrEqual(1024);
    expect(lines.at(-1)).toMatchObject({ end: 'bytes' });
  }); // prettier-ignore

  it('loses what nobody reads in time, and counts it', () => {
    const recording = begin({ max: 1e6, bytes: 2 ** 30, perRoute: 1e6 });
    while (recording.lines.readableLength < 4 * 2 ** 20) recording.lines.push(`"${'x'.repeat(2 ** 16)}"\n`);
    passes(recording);
    recording.end('stopped');
    expect(linesOf(recording).at(-1)).toMatchObject({ recorded: 0, lost: 1 });
  });

  it('gives signs of life while there is nothing to record', () => {
    const recording = begin();
    const before = recording.lines.readableLength;
    jest.advanceTimersByTime(30_000);
    expect(recording.lines.readableLength).toBe(before + 1);
    recording.end('stopped');
  });
});

describe('a recorder', () => {
  it('has one recording at a time', () => {
    const recorder = new Recorder();
    const first = recorder.begin(OPTIONS);
    expect([recorder.isOn, recorder.begin(OPTIONS)]).toEqual([true, undefined]);
    passes(recorder);
    first?.end('stopped');
    expect(recorder.isOn).toBe(false);
    passes(recorder);
    const second = recorder.begin(OPTIONS);
    expect(second).toBeDefined();
    second?.end('stopped');
  });
});
