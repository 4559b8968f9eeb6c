import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = process.cwd();

/** How the compiler is asked where its CPU counts, not its time: several checkers do the same work again, each for itself. */
export const CHEAP = { args: ['--checkers', '1'], env: { ...process.env, GOGC: '400' } } as const;

/**
 * Compiles programs against the sources, as strictly as these are, and returns what the compiler says of each.
 *
 * @param programs by file name; `SRC` stands for the folder of the sources.
 */
export function typeErrors(programs: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-types-'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const compilerOptions = {
    noEmit: true,
    allowImportingTsExtensions: true,
    rewriteRelativeImportExtensions: false,
    noUnusedLocals: false,
    rootDir: '/',
    types: ['node'],
  };
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions,
    files: Object.keys(programs),
    include: [],
    exclude: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  for (const [name, text] of Object.entries(programs))
    writeFileSync(join(folder, name), text.replaceAll('SRC', join(ROOT, 'src')));
  const tsc = join(ROOT, 'node_modules/typescript-7/bin/tsc');
  const args = [tsc, '-p', folder, '--pretty', 'false', ...CHEAP.args];
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env: CHEAP.env });
  rmSync(folder, { recursive: true, force: true });
  const said: Record<string, string> = Object.fromEntries(Object.keys(programs).map((name) => [name, '']));
  for (const part of stdout.split(/^(?=\S)/m)) {
    const name = /^([^(]+)\(/.exec(part)?.[1] ?? 'elsewhere';
    said[name] = (said[name] ?? '') + part;
  }
  return said;
}
