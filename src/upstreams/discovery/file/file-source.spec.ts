import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Known } from '../discovery-source.ts';
import { FileSource } from './file-source.ts';

let folder: string;
let path: string;
let source: FileSource;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'targets-'));
  path = join(folder, 'targets.json');
  source = new FileSource({ path, protocol: 'http', lookEveryMs: 10 });
});
afterEach(() => {
  source.close();
  rmSync(folder, { recursive: true });
});

const ask = (withinMs = Infinity): Promise<Known> =>
  source.next({ signal: new AbortController().signal, withinMs });
const write = (content: unknown) => writeFileSync(path, JSON.stringify(content));
const replace = (content: unknown) => {
  writeFileSync(`${path}.new`, JSON.stringify(content));
  renameSync(`${path}.new`, path);
};
const urls = ({ targets }: Known) => targets.map(({ url }) => url).join();

describe('FileSource', () => {
  it('reads origins, and more about them', async () => {
    write(['http://a:1/', { url: 'http://b:2', weight: 5, labels: { x: 'y' }, zone: 'z', priority: 1 }]);
    expect((await ask()).targets).toEqual([
      { url: 'http://a:1', weight: 1, labels: {}, priority: 0 },
      { url: 'http://b:2', weight: 5, labels: { x: 'y' }, zone: 'z', priority: 1 },
    ]);
  });

  it('reads a list under `targets`, and takes an empty one for what it is', async () => {
    write({ targets: [] });
    expect((await ask()).targets).toEqual([]);
  });

  it('answers again when another file is renamed over it', async () => {
    write(['http://a']);
    await ask();
    const next = ask();
    replace(['http://b']);
    expect(urls(await next)).toBe('http://b');
  });

  it('answers again when a folder is swapped on the way, as Kubernetes does', async () => {
    for (const name of ['one', 'two']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'targets.json'), JSON.stringify([`http://${name}`]));
    }
    symlinkSync('one', join(folder, '..data'));
    symlinkSync('..data/targets.json', path);
    expect(urls(await ask())).toBe('http://one');
    const next = ask();
    symlinkSync('two', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    expect(urls(await next)).toBe('http://two');
  });

  it('answers without a change where an answer is wanted', async () => {
    write(['http://a']);
    await ask();
    expect(urls(await ask(20))).toBe('http://a');
  });

  it('notices what changes between two questions', async () => {
    write(['http://a']);
    await ask();
    replace(['http://b']);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(urls(await ask())).toBe('http://b');
  });

  it.each([
    ['half-written', '["http://a"', 'the file is no JSON'],
    ['another thing', '{"hosts":[]}', 'no list of targets'],
    ['a bad entry', '["http://a", {"url": "http://b", "weight": 0}]', '[1].weight'],
    ['a bad URL', '["http://a", "b:80"]', '[1]: expected'],
    ['a wrong protocol', '["grpc://a:1"]', '[0]: expected an http:// or https:// origin'],
    ['a name that is not known', '[{"url":"http://a","wieght":1}]', '[0]: Unrecognized key: "wieght"'],
  ])(
    'knows nothing of a file that is %s, and reads it again at once when it is asked',
    async (_what, text, reason) => {
      writeFileSync(path, text);
      await expect(ask()).rejects.toMatchObject({
        name: 'Unknown',
        message: expect.stringContaining(reason),
      });
      write(['http://a']);
      expect(urls(await ask())).toBe('http://a');
    },
  );

  it('knows nothing of a file that is not there, before and after it was', async () => {
    await expect(ask()).rejects.toThrow('the file cannot be read: ENOENT');
    write(['http://a']);
    await ask();
    // It is seen that it is there before it goes again.
    await new Promise((resolve) => setTimeout(resolve, 60));
    rmSync(path);
    const again = async (): Promise<never> => {
      for (;;) await ask();
    };
    await expect(again()).rejects.toThrow('ENOENT');
  });
});
