/**
 * Runs the checks of `npm run check` side by side: what reads all files with one thread each would else wait for one another.
 * Says what each one says once it has ended, and exits 1 if any has failed.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** The scripts of `package.json`; those of a row run one after the other, and a row ends with the first that fails. */
const ROWS = [
  ['check:types'],
  ['check:docs'],
  ['check:format'],
  // The build is what the one of them writes and the other reads.
  ['check:lint', 'check:generated', 'check:schema'],
];

const passed = await Promise.all(ROWS.map((row) => runAll(row)));
process.exitCode = passed.every(Boolean) ? 0 : 1;

async function runAll(scripts: readonly string[]): Promise<boolean> {
  for (const script of scripts) if (!(await run(script))) return false;
  return true;
}

async function run(script: string): Promise<boolean> {
  const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) =>
    child.on('error', reject).on('close', resolve),
  );
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  process.stdout.write(output);
  process.stderr.write(errors);
  if (code !== 0) console.error(`check: ${script} has failed`);
  return code === 0;
}
