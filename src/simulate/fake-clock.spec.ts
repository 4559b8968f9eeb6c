import { afterEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from './fake-clock.ts';
import { realTimers } from './fake-timers.ts';

const AT = Date.parse('2026-01-01T00:00:00Z');
let clock: FakeClock | undefined;

afterEach(() => clock?.restore());

const begin = (): FakeClock => (clock = new FakeClock(AT));

describe('FakeClock', () => {
  it('stands still, and moves all clocks of the process alike', async () => {
    const at = begin();
    const before = performance.now();
    expect([Date.now(), new Date().toISOString()]).toEqual([AT, '2026-01-01T00:00:00.000Z']);
    await at.advance(1500);
    expect(Date.now()).toBe(AT + 1500);
    // What is counted from a start is no whole number.
    expect(performance.now() - before).toBeCloseTo(1500, 6);
    expect(new Date(5).getTime()).toBe(5);
  });

  it('fires what is due in its order, at its time, and nothing that was taken back', async () => {
    const at = begin();
    const seen: string[] = [];
    const note = (name: string) => void seen.push(`${name} ${Date.now() - AT}`);
    setTimeout(note, 20, 'b');
    setTimeout(note, 10, 'a');
    setTimeout(note, 31, 'late');
    const every = setInterval(() => note('every'), 12);
    clearTimeout(setTimeout(note, 5, 'never'));
    clearTimeout(Number(setTimeout(note, 5, 'nor by number')));
    setTimeout(note, 25, 'again').refresh();
    await at.advance(30);
    expect(seen).toEqual(['a 10', 'every 12', 'b 20', 'every 24', 'again 25']);
    clearInterval(every);
    await at.advance(30);
    expect(seen.at(-1)).toBe('late 31');
  });

  it('jumps to the next timer where nothing else can happen', async () => {
    const at = begin();
    at.isWaitingOnPurpose = () => true;
    let ticks = 0;
    setInterval(() => (ticks += 1), 1000);
    await at.drive(new Promise((go) => setTimeout(go, 60_500)));
    expect([Date.now() - AT, ticks]).toEqual([60_500, 60]);
    await expect(at.drive(Promise.reject(new Error('it failed')))).rejects.toThrow('it failed');
  });

  it('waits for what really happens before it moves on', async () => {
    const at = begin();
    const timer = setTimeout(() => undefined, 10);
    await at.drive(new Promise((go) => realTimers.setTimeout(go, 20)));
    expect(Date.now()).toBe(AT);
    clearTimeout(timer);
  });

  it('gives up where nothing will ever come', async () => {
    const at = begin();
    at.isWaitingOnPurpose = () => true;
    await expect(at.drive(new Promise(() => undefined))).rejects.toThrow('nothing has come of it for a day');
  });

  it('gives the process its own clocks back', () => {
    const real = [Date, setTimeout, clearInterval];
    begin().restore();
    expect([Date, setTimeout, clearInterval]).toEqual(real);
    expect(Object.hasOwn(performance, 'now')).toBe(false);
  });
});
