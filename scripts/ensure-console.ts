/** Makes sure that the tests find the console's page as its sources are: builds it where it is older, or not there. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const SOURCES = join(ROOT, 'src/console/page');
const BUILT = join(ROOT, 'dist/console/site/index.html');

if (!existsSync(BUILT) || newest(SOURCES) > statSync(BUILT).mtimeMs) {
  const config = join(SOURCES, 'vite.config.ts');
  const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
  const { status } = spawnSync(process.execPath, [vite, 'build', SOURCES, '--config', config], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}

function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Math.max(...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
}
