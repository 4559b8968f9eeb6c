import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigFileWatch } from './config-file-watch.ts';

const QUIET_MS = 200;

let folder: string;
let watch: ConfigFileWatch;
let changes: number;

beforeEach(() => {
  // The specs say when it looks and when time passes; files and what is told of them are real.
  jest.useFakeTimers({
    doNotFake: ['Date', 'nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'hrtime'],
  });
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-watch-'));
  changes = 0;
});
afterEach(() => {
  watch.stop();
  jest.useRealTimers();
  rmSync(folder, { recursive: true });
});

const path = (name: string): string => join(folder, name);

function begin(readAtMs?: number): void {
  watch = new ConfigFileWatch(path('gateway.yaml'), () => (changes += 1), { quietMs: QUIET_MS });
  watch.start(readAtMs);
}

/** How often a change was told once it was looked and nothing has come for a moment. */
async function told(): Promise<number> {
  await watch.look();
  jest.advanceTimersByTime(QUIET_MS);
  const since = changes;
  changes = 0;
  return since;
}

describe('ConfigFileWatch', () => {
  it('hears of a file that is written in place', async () => {
    writeFileSync(path('gateway.yaml'), 'version: 1');
    begin();
    writeFileSync(path('gateway.yaml'), 'version: 1.1');
    expect(await told()).toBe(1);
  });

  it('hears of a file that another one is renamed to', async () => {
    writeFileSync(path('gateway.yaml'), 'version: 1');
    begin();
    writeFileSync(path('new'), 'version: 2');
    renameSync(path('new'), path('gateway.yaml'));
    expect(await told()).toBe(1);
  });

  it('hears of a link on the way that is swapped, as Kubernetes does', async () => {
    for (const version of ['1', '2']) {
      mkdirSync(path(`..${version}`));
      writeFileSync(path(`..${version}/gateway.yaml`), `version: ${version}`);
    }
    symlinkSync('..1', path('..data'));
    symlinkSync('..data/gateway.yaml', path('gateway.yaml'));
    begin();
    symlinkSync('..2', path('..data_tmp'));
    renameSync(path('..data_tmp'), path('..data'));
    expect(await told()).toBe(1);
  });

  it('hears of a file that goes and comes again', async () => {
    writeFileSync(path('gateway.yaml'), 'version: 1');
    begin();
    unlinkSync(path('gateway.yaml'));
    expect(await told()).toBe(1);
    writeFileSync(path('gateway.yaml'), 'version: 1');
    expect(await told()).toBe(1);
  });

  it.each<[string, number, number]>([
    ['after it was read', -60_000, 1],
    ['before it was read', 60_000, 0],
  ])('tells a change from before the first look that came %s', async (_when, readBefore, count) => {
    writeFileSync(path('gateway.yaml'), 'version: 1');
    begin(Date.now() + readBefore);
    expect(await told()).toBe(count);
  });

  it('tells that a file is gone before the first look', async () => {
    begin();
    expect(await told()).toBe(1);
  });

  it('waits until a file that is written in steps stays as it is, and tells once', async () => {
    writeFileSync(path('gateway.yaml'), '');
    begin();
    for (let step = 1; step <= 5; step += 1) {
      writeFileSync(path('gateway.yaml'), 'x'.repeat(step));
      await watch.look();
      jest.advanceTimersByTime(QUIET_MS - 1);
    }
    expect(changes).toBe(0);
    jest.advanceTimersByTime(1);
    expect(changes).toBe(1);
  });

  it('looks by itself, and says nothing of a file that stays', async () => {
    writeFileSync(path('gateway.yaml'), 'version: 1');
    begin();
    const look = jest.spyOn(watch, 'look');
    jest.advanceTimersByTime(3000);
    expect(look).toHaveBeenCalledTimes(3);
    await Promise.all(look.mock.results.map(({ value }) => value));
    expect(await told()).toBe(0);
  });

  it('says nothing once it has ended, also of a look that was under way', async () => {
    writeFileSync(path('gateway.yaml'), 'version: 1');
    begin();
    writeFileSync(path('gateway.yaml'), 'version: 1.1');
    const look = watch.look();
    watch.stop();
    await look;
    expect(await told()).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });
});
