import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigReadings, givenText } from './config-readings.ts';

let folder: string;
let file: string;
let readings: ConfigReadings;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-readings-'));
  file = join(folder, 'gateway.yaml');
  readings = new ConfigReadings();
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('ConfigReadings', () => {
  it('know a file again that was read before and left alone', async () => {
    writeFileSync(file, 'version: 1');
    const first = await readings.read(file);
    expect([first.isKnown, first.text()]).toEqual([false, 'version: 1']);
    const second = await readings.read(file);
    expect([second.isKnown, second.text()]).toEqual([true, 'version: 1']);
  });

  it('take one that says something else, or was touched, for another one', async () => {
    writeFileSync(file, 'version: 1');
    await readings.read(file);
    writeFileSync(file, 'version: 2');
    expect((await readings.read(file)).isKnown).toBe(false);
    utimesSync(file, new Date(), new Date('2026-01-01'));
    expect((await readings.read(file)).isKnown).toBe(false);
    expect((await readings.read(file)).isKnown).toBe(true);
  });

  it('know again that a file is not there, or not to be read, and say so each time', async () => {
    const gone = await readings.read(file);
    expect(gone.isKnown).toBe(false);
    expect(() => gone.text()).toThrow(/no such file/);
    expect((await readings.read(file)).isKnown).toBe(true);
    writeFileSync(file, Buffer.from([0xff]));
    expect((await readings.read(file)).isKnown).toBe(false);
    const unreadable = await readings.read(file);
    expect(unreadable.isKnown).toBe(true);
    expect(() => unreadable.text()).toThrow(/UTF-8/);
  });

  it('are not about a text that comes from elsewhere', () => {
    expect(givenText('version: 1')).toMatchObject({ isKnown: false });
  });
});
