import { describe, expect, it } from '@jest/globals';
import { faultName, MOST_NOTES, SpanLog } from './span-log.ts';
import { askFor, noteStoreWait } from './store-wait.ts';

describe('SpanLog', () => {
  it('keeps so many notes and counts the others', () => {
    const log = new SpanLog();
    for (let made = 0; made < MOST_NOTES; made += 1) expect(log.begin('call', 'a')).toBeDefined();
    expect(log.begin('call', 'b')).toBeUndefined();
    expect([log.notes.length, log.left]).toEqual([MOST_NOTES, 1]);
  });

  it('gives what has ended out once, and takes nothing after its end', () => {
    const log = new SpanLog();
    const [first, second] = [log.begin('call', 'a'), log.begin('call', 'b')];
    first?.end('ok', false);
    expect(log.takeEnded()).toEqual([first]);
    expect(log.notes).toEqual([second]);
    log.end();
    expect([log.begin('call', 'c'), log.notes]).toEqual([undefined, []]);
  });

  it('notes what is waited for, and how that ends', async () => {
    const log = new SpanLog();
    const failing = Promise.reject(Object.assign(new Error('no'), { code: 'quota-exceeded' }));
    log.wait('stage', 'quota', failing, () => 'passed');
    log.wait('stage', 'cache', Promise.resolve(1), String);
    await Promise.allSettled([failing]);
    await Promise.resolve();
    expect(log.notes).toMatchObject([
      { name: 'quota', outcome: 'quota-exceeded', isFault: true },
      { name: 'cache', outcome: '1', isFault: false },
    ]);
  });

  it('names faults by their code, else by their class', () => {
    expect([faultName(new TypeError('x')), faultName('x')]).toEqual(['TypeError', 'internal']);
  });
});

describe('noteStoreWait', () => {
  it('notes for whoever is asking just then, and for nobody else', async () => {
    const log = new SpanLog();
    const failed = Symbol('failed');
    noteStoreWait('limits', Promise.resolve(1), failed);
    const before = askFor(log);
    noteStoreWait('limits', Promise.resolve(failed), failed);
    expect(askFor(before)).toBe(log);
    noteStoreWait('limits', Promise.resolve(1), failed);
    await Promise.resolve();
    expect(log.notes).toMatchObject([
      { sort: 'store', name: 'limits', outcome: 'unavailable', isFault: true },
    ]);
  });
});
