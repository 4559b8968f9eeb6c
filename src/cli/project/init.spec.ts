import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInit } from './init.ts';

let folder: string;
let told: string;
const out = { write: (text: string) => (told += text) };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-init-'));
  told = '';
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('runInit', () => {
  const init = (directory: string, project?: string): void =>
    runInit({ name: 'init', directory, project, package: undefined }, out);

  it('writes a project that depends on this version, and says how to go on', () => {
    init(join(folder, 'my-gateway'));
    const own = JSON.parse(readFileSync('package.json', 'utf8')) as {
      version: string;
      dependencies: Record<string, string>;
    };
    const read = JSON.parse(readFileSync(join(folder, 'my-gateway/package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(read).toMatchObject({
      name: 'my-gateway',
      dependencies: { gatehouse: own.version, '@nestjs/common': own.dependencies['@nestjs/common'] },
    });
    const files = readdirSync(join(folder, 'my-gateway'), { recursive: true, encoding: 'utf8' });
    const wanted = [
      '.github/workflows/ci.yml',
      '.gitignore',
      '.dockerignore',
      'Dockerfile',
      'compose.yaml',
      'gateway.yaml',
      'gatehouse.config.ts',
      'README.md',
      'src/products/products.spec.ts',
    ];
    expect(files).toEqual(expect.arrayContaining(wanted));
    expect(told).toContain('npm run dev');
    // The module is called otherwise than its upstream.
    const spec = readFileSync(join(folder, 'my-gateway/src/products/products.spec.ts'), 'utf8');
    expect([...spec.matchAll(/gateway\.http\('(.*?)'\)/g)].map(([, name]) => name)).toEqual([
      'catalog',
      'catalog',
    ]);
    expect(spec).toContain('upstreams: { catalog: {');
  });

  it('leaves a directory with anything in it alone', () => {
    writeFileSync(join(folder, 'mine.txt'), '');
    expect(() => init(folder, 'mine')).toThrow(`nothing was written: ${folder} is not empty`);
    expect(readdirSync(folder)).toEqual(['mine.txt']);
  });

  it('refuses a name that npm would not take', () => {
    expect(() => init(join(folder, 'My Gateway'))).toThrow('give one with --name');
    init(join(folder, 'My Gateway'), 'my-gateway');
  });
});
