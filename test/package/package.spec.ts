import { beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const own = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly bin: Readonly<Record<string, string>>;
};

describe('the package', () => {
  let packed: readonly string[];

  beforeAll(() => {
    const npm = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      encoding: 'utf8',
    });
    const read = JSON.parse(npm) as Readonly<Record<string, unknown>> | readonly unknown[];
    const [first] = Object.values(read) as { readonly files: readonly { readonly path: string }[] }[];
    packed = first?.files.map(({ path }) => path) ?? [];
  }, 60_000);

  it('has with it what is read at run time', () => {
    const wanted = [
      ...Object.values(own.bin),
      'bin/stale-build.js',
      'config/gateway.schema.json',
      'config/team.schema.json',
      'dist/console/site/index.html',
      'dist/contracts/client/runtime/gateway-client.ts',
      'templates/project/gateway.yaml',
      'templates/collection.json',
      'dist/cli/project/schematics.js',
      'LICENSE',
      'README.md',
    ];
    expect(wanted.filter((file) => !packed.includes(file))).toEqual([]);
    const pages = packed.filter((file) => file.startsWith('dist/contracts/page/'));
    expect(pages.length).toBeGreaterThan(2);
  });

  it('has no tests, sources, secrets or sample with it', () => {
    const strange = packed.filter(
      (file) =>
        /^(?:src|test|examples|bench|scripts|proto|docs|deploy|dist\/routes|\.)/.test(file) ||
        (/\.(?:spec|fixture)\.|\.map$/.test(file) && !file.startsWith('templates/')) ||
        file === 'gatehouse.config.js',
    );
    expect(strange).toEqual([]);
    expect(packed.filter((file) => file.startsWith('config/'))).toEqual([
      'config/gateway.schema.json',
      'config/team.schema.json',
    ]);
  });

  it('has every file that it exports, each made of a source', () => {
    const targets = Object.values(own.exports).map((one) => (typeof one === 'string' ? one : one.default));
    const missing = targets.map((file) => file.slice(2)).filter((file) => !packed.includes(file));
    expect(missing).toEqual([]);
    const types = Object.values(own.exports).flatMap((one) => (typeof one === 'string' ? [] : [one.types]));
    const sources = types.map((file) => file.replace('./types/', 'src/').replace('.d.ts', '.ts'));
    expect(sources.filter((file) => !existsSync(file))).toEqual([]);
    const { files } = JSON.parse(readFileSync('tsconfig.types.json', 'utf8')) as { readonly files: string[] };
    expect(files.toSorted()).toEqual(sources.toSorted());
  });

  it('resolves every export, in the built code', () => {
    const names = Object.keys(own.exports).map((name) => name.replace('.', 'gatehouse'));
    const code = `for (const name of ${JSON.stringify(names)})
      console.log(name, Object.keys(await import(name, name.endsWith('.json') ? { with: { type: 'json' } } : {})).length > 0 || name.endsWith('register'));`;
    const told = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
    expect(told.trim().split('\n')).toEqual(names.map((name) => `${name} true`));
  }, 60_000);

  it('says of each name that it exports what it promises', () => {
    const files = ['src/config/project-config.ts', 'src/embedded-gateway.ts', 'src/testing/test-gateway.ts'];
    const bare = files.filter((file) => /(?<!\*\/)\nexport /.test(readFileSync(file, 'utf8')));
    expect(bare).toEqual([]);
  });
});
