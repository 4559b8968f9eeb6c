import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigReadings } from './config-readings.ts';

let folder: string;
let file: string;
let cert: string;
let readings: ConfigReadings;

const found = (trigger = 'file', given?: string) => readings.read(trigger, { file, names: [cert], given });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-readings-'));
  file = join(folder, 'gateway.yaml');
  cert = join(folder, 'cert.pem');
  readings = new ConfigReadings();
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('ConfigReadings', () => {
  it('know a file again that was read before and left alone', async () => {
    writeFileSync(file, 'version: 1');
    const first = await found();
    expect([first.isKnown, first.text()]).toEqual([false, 'version: 1']);
    const second = await found();
    expect([second.isKnown, second.text()]).toEqual([true, 'version: 1']);
  });

  it('take one that says something else, or was touched, for another one', async () => {
    writeFileSync(file, 'version: 1');
    await found();
    writeFileSync(file, 'version: 2');
    expect((await found()).isKnown).toBe(false);
    utimesSync(file, new Date(), new Date('2026-01-01'));
    expect((await found()).isKnown).toBe(false);
    expect((await found()).isKnown).toBe(true);
  });

  it('know again that a file is not there, or not to be read, and say so each time', async () => {
    const gone = await found();
    expect(gone.isKnown).toBe(false);
    expect(() => gone.text()).toThrow(/no such file/);
    expect((await found()).isKnown).toBe(true);
    writeFileSync(file, Buffer.from([0xff]));
    expect((await found()).isKnown).toBe(false);
    const unreadable = await found();
    expect(unreadable.isKnown).toBe(true);
    expect(() => unreadable.text()).toThrow(/UTF-8/);
  });

  it('know certificates again that were there when somebody else had them read', async () => {
    writeFileSync(file, 'version: 1');
    writeFileSync(cert, 'one');
    expect((await found('SIGHUP')).isKnown).toBe(false);
    expect((await found('certificate')).isKnown).toBe(false);
    await readings.willRead([cert]);
    // Until it is read: a text that says what is in force already reads nothing.
    expect((await found('certificate')).isKnown).toBe(false);
    readings.namedAreRead();
    expect((await found('certificate')).isKnown).toBe(true);
    expect((await found('certificate', 'an earlier text')).isKnown).toBe(true);
    writeFileSync(cert, 'another');
    expect([(await found('certificate')).isKnown, (await found()).isKnown]).toEqual([false, true]);
    await readings.willRead([cert]);
    readings.namedAreRead();
    writeFileSync(file, 'version: 2');
    expect((await found('certificate')).isKnown).toBe(false);
  });

  it('know nothing of who asks by name, and give a text that comes from elsewhere', async () => {
    writeFileSync(file, 'version: 1');
    await found('order');
    expect((await found('order')).isKnown).toBe(false);
    expect((await found('rollback', 'version: 3')).text()).toBe('version: 3');
    // The file is what it was meanwhile.
    expect((await found()).isKnown).toBe(true);
  });
});
