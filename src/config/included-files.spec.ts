import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLE_MARK, bundleOf, type ConfigBundle } from './config-bundle.ts';
import { MOST_BYTES, MOST_FILES, namesIncluded, readConfigText } from './included-files.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-included-'));
  mkdirSync(join(folder, 'teams'));
});
// A command that was killed may have a file left to write.
afterEach(() => rmSync(folder, { recursive: true, maxRetries: 10 }));

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

async function read(include: string): Promise<ConfigBundle> {
  write('gateway.yaml', `version: 1\ninclude: ${include}\n`);
  return bundleOf(await readConfigText(join(folder, 'gateway.yaml'), {}));
}

describe('readConfigText', () => {
  it('reads what a pattern finds in the order of names, each by the first entry that finds it', async () => {
    for (const name of ['b', 'a', 'c']) write(`teams/${name}.yaml`, `team: ${name}\n`);
    write('teams/.hidden.yaml', 'team: hidden\n');
    write('teams/notes.txt', '');
    const { parts, faults } = await read('[teams/b.yaml, { files: "teams/*.yaml" }]');
    expect(parts.map(({ name, entry, text }) => [name, entry, text])).toEqual([
      ['teams/a.yaml', 1, 'team: a\n'],
      ['teams/b.yaml', 0, 'team: b\n'],
      ['teams/c.yaml', 1, 'team: c\n'],
    ]);
    expect(faults).toEqual([]);
  });

  it('leaves a file as it is that includes nothing, or says it in a way that its schema will not take', async () => {
    for (const text of ['version: 1\n', 'include: 7\n', 'include: [', '# include: no\n']) {
      write('gateway.yaml', text);
      expect(await readConfigText(join(folder, 'gateway.yaml'))).toBe(text);
    }
  });

  it('takes no file for a bundle of several', async () => {
    write('gateway.yaml', `${BUNDLE_MARK}{}\n`);
    await expect(readConfigText(join(folder, 'gateway.yaml'))).rejects.toThrow('expected another first line');
  });

  it.each(['../x.yaml', '/etc/x.yaml', 'teams/../../x.yaml'])(
    'does not leave the folder for %s',
    async (path) => {
      expect((await read(`["${path}"]`)).faults).toEqual([
        { entry: 0, message: expect.stringContaining('expected a path below the folder of this file') },
      ]);
    },
  );

  it('follows links within the folder, and no others', async () => {
    mkdirSync(join(folder, 'teams/..v1'));
    write('teams/..v1/a.yaml', 'team: a\n');
    symlinkSync('..v1', join(folder, 'teams/..data'));
    symlinkSync('..data/a.yaml', join(folder, 'teams/a.yaml'));
    symlinkSync('/etc/hostname', join(folder, 'teams/b.yaml'));
    const { parts } = await read('[teams/*.yaml]');
    expect(parts.map(({ name, text, fault }) => [name, text, fault?.slice(0, 5)])).toEqual([
      ['teams/a.yaml', 'team: a\n', undefined],
      ['teams/b.yaml', '', 'leads'],
    ]);
  });

  it('says what is wrong with a file that is too large, no text, or not there', async () => {
    write('teams/a.yaml', 'x'.repeat(MOST_BYTES + 1));
    writeFileSync(join(folder, 'teams/b.yaml'), Buffer.from([0xff, 0xfe]));
    const { parts } = await read('[teams/*.yaml]');
    expect(parts.map(({ fault }) => fault)).toEqual([
      `expected at most ${MOST_BYTES} bytes, found ${MOST_BYTES + 1}`,
      'expected UTF-8 text',
    ]);
    expect((await read('[teams/none.yaml]')).faults).toEqual([
      { entry: 0, message: 'there is no file teams/none.yaml' },
    ]);
    expect((await read('["none/*.yaml"]')).faults).toEqual([]);
  });

  it('waits for no pipe, and reads no folder', async () => {
    execFileSync('mkfifo', [join(folder, 'teams/pipe.yaml')]);
    mkdirSync(join(folder, 'teams/folder.yaml'));
    expect((await read('["teams/*.yaml"]')).parts.map(({ name, fault }) => [name, fault])).toEqual([
      ['teams/folder.yaml', 'expected a file'],
      ['teams/pipe.yaml', 'expected a file'],
    ]);
  });

  it('waits for no pipe that takes the place of a file while it is looked at', async () => {
    const place = join(folder, 'teams/a.yaml');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    write('file', 'team: a\n');
    write('teams/a.yaml', 'team: a\n');
    const script =
      'while :; do cp -f "$1/file" "$1/next"; mv "$1/next" "$2"; ln "$1/pipe" "$1/next"; mv "$1/next" "$2"; done';
    const swapping = spawn('sh', ['-c', script, 'sh', folder, place], { stdio: 'ignore', detached: true });
    try {
      const seen = new Set<string | undefined>();
      for (let reads = 0; reads < 3000 && (reads < 300 || seen.size < 2); reads += 1)
        for (const { text, fault } of (await read('[teams/a.yaml]')).parts) seen.add(fault ?? text);
      expect(seen).toContain('team: a\n');
      expect(seen).toContain('expected a file');
    } finally {
      // What it has started, too.
      process.kill(-Number(swapping.pid), 'SIGKILL');
      await once(swapping, 'exit');
    }
  });

  it('reads so many files and no more', async () => {
    for (let index = 0; index <= MOST_FILES; index += 1) write(`teams/t${index}.yaml`, '');
    const { parts, faults } = await read('["teams/*.yaml"]');
    expect(parts).toHaveLength(MOST_FILES);
    expect(faults).toEqual([
      { entry: 0, message: `expected at most ${MOST_FILES} files, found ${MOST_FILES + 1}` },
    ]);
  });
});

describe('namesIncluded', () => {
  it('finds what is there now', async () => {
    expect(await namesIncluded(folder, [['teams/*.yaml']])).toEqual([]);
    write('teams/a.yaml', '');
    expect(await namesIncluded(folder, [['teams/a.yaml'], ['teams/*.yaml', 'nowhere/*']])).toEqual([
      'teams/a.yaml',
    ]);
  });
});
