import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync, spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Packages = Readonly<Record<string, object>>;

const ROOT = process.cwd();
const NEST = join(ROOT, 'node_modules/@nestjs/cli/bin/nest.js');
/** What npm sets for scripts of this repository does not reach into another project. */
const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(?:npm_|NODE_OPTIONS$|INIT_CWD$)/.test(name)),
);

let folder: string;
let project: string;

function run(command: string, args: readonly string[], cwd = project): SpawnSyncReturns<string> {
  const PATH = `${join(project, 'node_modules/.bin')}:${String(process.env['PATH'])}`;
  return spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...ENVIRONMENT, PATH } });
}

/** Runs to its end and returns what it said; fails with that where it fails. */
function done(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = run(command, args);
  expect([status, status === 0 ? '' : stdout + stderr]).toEqual([0, '']);
  return stdout;
}

// npm keeps archives of what the repository depends on, but no lists of versions: those come from its lock file.
function lock(archive: string): void {
  const read = <Read>(file: string): Read => JSON.parse(readFileSync(file, 'utf8')) as Read;
  const { '': _, ...packages } = read<{ packages: Packages }>(join(ROOT, 'package-lock.json')).packages;
  const own = read<Record<string, unknown>>(join(ROOT, 'package.json'));
  const { name, version, dependencies, devDependencies } = read<Record<string, unknown>>(
    join(project, 'package.json'),
  );
  const gatehouse = {
    version: own['version'],
    resolved: `file:${archive}`,
    dependencies: own['dependencies'],
    bin: own['bin'],
  };
  const all = {
    '': { name, version, dependencies, devDependencies },
    'node_modules/gatehouse': gatehouse,
    ...packages,
  };
  const text = JSON.stringify({ name, version, lockfileVersion: 3, requires: true, packages: all });
  writeFileSync(join(project, 'package-lock.json'), text);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-package-'));
  project = join(folder, 'my-gateway');
  // As `npm pack` would, without another build beside tests that read this one.
  execFileSync(process.execPath, [join(ROOT, 'scripts/build-types.ts')]);
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
  const out = execFileSync('npm', pack, { encoding: 'utf8', env: ENVIRONMENT });
  const archive = join(folder, out.trim().split('\n').at(-1) ?? '');
  const init = [join(ROOT, 'bin/gatehouse.js'), 'init', project, '--package', `file:${archive}`];
  // Its warning of an old build would mean that an old build is in the archive.
  expect(spawnSync(process.execPath, init, { encoding: 'utf8' }).stderr).toBe('');
  lock(archive);
  const { status, stderr } = run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund']);
  expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a project of `gatehouse init`, with the package from its archive', () => {
  it('compiles, is valid, and passes its tests', () => {
    done('npm', 'run', 'check');
    expect(done('npm', 'run', '--silent', 'validate')).toContain('gateway.yaml: valid, 2 routes in the file');
    done('npm', 'test');
  }, 240_000);

  it('starts by `npm start`, and as what was compiled', async () => {
    done('npm', 'run', 'build');
    for (const script of ['start', 'start:built']) {
      const env = { ...ENVIRONMENT, PORT: '0', ADMIN_PORT: '0', DRAIN_DELAY: '0s' };
      const child = spawn('npm', ['run', '--silent', script], { cwd: project, env, detached: true });
      const ended = once(child, 'close');
      let out = '';
      for await (const chunk of child.stdout.setEncoding('utf8'))
        if ((out += chunk as string).includes('"listening"')) break;
      const { url } = JSON.parse(out.split('\n').find((line) => line.includes('"listening"')) ?? '') as {
        url: string;
      };
      expect(await (await fetch(url)).text()).toBe('my-gateway is up');
      process.kill(-Number(child.pid), 'SIGTERM');
      await ended;
    }
  }, 120_000);

  it('knows its modules in every command', () => {
    expect(done('npx', 'gatehouse', 'routes', '--wide')).toContain('ProductsController.show');
    expect(done('npx', 'gatehouse', 'explain', 'GET /api/v1/products/7')).toContain('products.show');
    expect(done('npx', 'gatehouse', 'openapi')).toContain('/api/v1/products/{id}');
    // What makes clients is not installed with the package.
    const { status, stderr } = run('npx', ['gatehouse', 'client', '--ts', '--out', 'client.ts']);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('npm install --save-dev openapi-typescript'),
    ]);
  }, 120_000);

  it('generates parts that compile and whose specs pass', () => {
    for (const part of ['module', 'view', 'policy'])
      done('npx', 'gatehouse', 'generate', part, `${part}-part`);
    // Nest's CLI runs schematics of the package, which it finds from where it stands.
    for (const part of ['module', 'view', 'policy'])
      expect(
        done('node', NEST, 'generate', '--collection', 'gatehouse', part, `${part}-of-nest`, 'deeper'),
      ).toContain(`CREATE src/deeper/${part}-of-nest/${part}-of-nest.${part}.ts`);
    done('npm', 'run', 'check');
    expect(done('npm', 'test')).toMatch(/pass 12\n/);
  }, 240_000);

  it('has nothing of the sample with it', () => {
    writeFileSync(join(project, 'sample.yaml'), 'version: 1\nmodules: [orders]\n');
    const { status, stderr } = run('npx', ['gatehouse', 'validate', '--config', 'sample.yaml']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('there is no module "orders"')]);
  });

  it('cannot import what is not exported', () => {
    const { status, stderr } = run('node', [
      '-e',
      `import('gatehouse/dist/main.js').catch(({ code }) => { console.error(code); process.exit(3); })`,
    ]);
    expect([status, stderr]).toEqual([3, 'ERR_PACKAGE_PATH_NOT_EXPORTED\n']);
  });
});
