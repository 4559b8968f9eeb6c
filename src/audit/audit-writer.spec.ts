import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescriptorOutput, FileOutput, type AuditOutput } from './audit-output.ts';
import { AuditWriter } from './audit-writer.ts';

let folder: string;
let file: string;
let heard: string[];
let writer: AuditWriter;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'audit-writer-'));
  file = join(folder, 'a.jsonl');
  heard = [];
});
afterEach(async () => {
  await writer.close(0);
  rmSync(folder, { recursive: true, force: true });
});

function writerTo(output: AuditOutput, maxBytes = 1000): AuditWriter {
  writer = new AuditWriter(output, {
    maxBytes,
    dropped: () => heard.push('dropped'),
    lost: (count) => heard.push(`lost ${count}`),
    changed: (error) =>
      heard.push(
        error === undefined ? 'again' : ((error as NodeJS.ErrnoException).code ?? (error as Error).message),
      ),
  });
  return writer;
}

async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds() && waited < 10_000; waited += 5) await sleep(5);
}

describe('AuditWriter', () => {
  it('adds lines in their order to a file that is its owner’s alone', async () => {
    writerTo(new FileOutput(file));
    for (let i = 0; i < 50; i += 1) writer.write(`${i}\n`);
    await writer.close(1000);
    expect(readFileSync(file, 'utf8')).toBe(Array.from({ length: 50 }, (_, i) => `${i}\n`).join(''));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('begins a line of its own after one that a process left half', async () => {
    writeFileSync(file, '{"half":', { mode: 0o640 });
    writerTo(new FileOutput(file)).write('whole\n');
    await writer.close(1000);
    expect(readFileSync(file, 'utf8')).toBe('{"half":\nwhole\n');
    // A mode that somebody has chosen stays.
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  it('goes by the file that is at its place once it is told, as after a rotation', async () => {
    writerTo(new FileOutput(file)).write('1\n');
    await until(() => statSync(file, { throwIfNoEntry: false })?.size === 2);
    renameSync(file, `${file}.1`);
    writer.reopen();
    writer.write('2\n');
    await writer.close(1000);
    expect([readFileSync(`${file}.1`, 'utf8'), readFileSync(file, 'utf8')]).toEqual(['1\n', '2\n']);
  });

  it('keeps what it cannot write up to its bound, and tells what it lost when it can again', async () => {
    rmSync(folder, { recursive: true });
    writerTo(new FileOutput(file), 10);
    await until(() => heard.length > 0);
    expect(writer.isFailing).toBe(true);
    for (const line of ['abcd\n', 'efgh\n', '1\n', '2\n']) writer.write(line);
    expect(heard).toEqual(['ENOENT', 'dropped', 'dropped']);
    mkdirSync(folder);
    await until(() => heard.includes('lost 2'));
    expect(heard.slice(3)).toEqual(['again', 'lost 2']);
    expect([readFileSync(file, 'utf8'), writer.isFailing]).toEqual(['abcd\nefgh\n', false]);
  });

  it('notices a disk that is full', async () => {
    const fd = openSync('/dev/full', 'w');
    writerTo(new DescriptorOutput(fd)).write('x\n');
    await until(() => heard.length > 0);
    expect([heard, writer.isFailing]).toEqual([['ENOSPC'], true]);
    await writer.close(0);
    closeSync(fd);
  });

  it.each(['a folder', 'a pipe that nobody reads'])('writes to no %s', async (what) => {
    if (what === 'a folder') mkdirSync(file);
    else execFileSync('mkfifo', [file]);
    writerTo(new FileOutput(file)).write('x\n');
    await until(() => heard.length > 0);
    expect(['EISDIR', 'ENXIO', 'it is no regular file']).toContain(heard[0]);
  });
});
