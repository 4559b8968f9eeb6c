import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

/** Writes the declarations of what the package exports to `types`, anew. */
const ROOT = join(import.meta.dirname, '..');
rmSync(join(ROOT, 'types'), { recursive: true, force: true });
const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
const done = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.types.json'], { cwd: ROOT, stdio: 'inherit' });
process.exitCode = done.status ?? 1;
