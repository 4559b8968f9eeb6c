import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigFileWatch } from './config-file-watch.ts';

// What takes longer than it may is another outcome, which a busy machine brings about now and then.
jest.retryTimes(3);

const TIMES = { lookEveryMs: 10, quietMs: 30 };

let folder: string;
let watch: ConfigFileWatch;
let changes: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-watch-'));
  changes = 0;
});
afterEach(() => {
  watch.stop();
  rmSync(folder, { recursive: true });
});

const path = (name: string): string => join(folder, name);

async function begin(): Promise<void> {
  watch = new ConfigFileWatch(path('gateway.yaml'), () => (changes += 1), TIMES);
  watch.start();
  // The first look is what later ones are compared with.
  await sleep(50);
}

async function changed(): Promise<void> {
  while (changes === 0) await sleep(5);
}

describe('ConfigFileWatch', () => {
  it('hears of a file that is written in place', async () => {
    writeFileSync(path('gateway.yaml'), 'version: 1');
    await begin();
    writeFileSync(path('gateway.yaml'), 'version: 2');
    await changed();
  });

  it('hears of a file that another one is renamed to', async () => {
    writeFileSync(path('gateway.yaml'), 'version: 1');
    await begin();
    writeFileSync(path('new'), 'version: 2');
    renameSync(path('new'), path('gateway.yaml'));
    await changed();
  });

  it('hears of a link on the way that is swapped, as Kubernetes does', async () => {
    for (const version of ['1', '2']) {
      mkdirSync(path(`..${version}`));
      writeFileSync(path(`..${version}/gateway.yaml`), `version: ${version}`);
    }
    symlinkSync('..1', path('..data'));
    symlinkSync('..data/gateway.yaml', path('gateway.yaml'));
    await begin();
    symlinkSync('..2', path('..data_tmp'));
    renameSync(path('..data_tmp'), path('..data'));
    await changed();
  });

  it('hears of a file that was gone for a while', async () => {
    writeFileSync(path('gateway.yaml'), 'version: 1');
    await begin();
    unlinkSync(path('gateway.yaml'));
    await changed();
    changes = 0;
    writeFileSync(path('gateway.yaml'), 'version: 1');
    await changed();
  });

  it('waits until a file that is written in steps stays as it is, and tells once', async () => {
    writeFileSync(path('gateway.yaml'), 'version: 1');
    watch = new ConfigFileWatch(path('gateway.yaml'), () => (changes += 1), { lookEveryMs: 5, quietMs: 300 });
    watch.start();
    await sleep(50);
    for (let step = 0; step < 5; step += 1) {
      writeFileSync(path('gateway.yaml'), 'x'.repeat(step + 20));
      await sleep(20);
    }
    expect(changes).toBe(0);
    await changed();
    await sleep(350);
    expect(changes).toBe(1);
  });

  it('says nothing of a file that stays, and nothing once it has ended', async () => {
    writeFileSync(path('gateway.yaml'), 'version: 1');
    await begin();
    await sleep(60);
    expect(changes).toBe(0);
    writeFileSync(path('gateway.yaml'), 'version: 2');
    await sleep(20);
    watch.stop();
    await sleep(100);
    expect(changes).toBe(0);
  });
});
