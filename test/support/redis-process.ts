import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Runs `redis-server`; resolves once it accepts connections; rejects with its own words when it exits instead. */
export async function launchRedis(args: readonly string[], ready = READY): Promise<ChildProcess> {
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  guardAgainstOrphans(child);
  await new Promise<void>((resolve, reject) => {
    let said = '';
    const hear = (chunk: Buffer): void => {
      said += chunk.toString('utf8');
      if (!ready.test(said)) return;
      said = '';
      child.stdout.off('data', hear).resume();
      child.stderr.off('data', hear).resume();
      resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', (error) => {
      reject(new Error(`redis-server does not start: ${error.message}; run node scripts/ensure-redis.ts`));
    });
    child.once('close', () => reject(new Error(`redis-server ended at once: ${said.trim()}`)));
  });
  child.unref();
  return child;
}

const READY = /Ready to accept connections/;

/** Kills a process without a goodbye. */
export async function killProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/**
 * Ties the server to the life of this process, whatever ends it: a test runner kills workers that linger, and
 * then no exit handler runs. The watcher reads from a pipe that closes with this process.
 */
function guardAgainstOrphans(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const script = `trap '' INT TERM HUP; read -r line; kill -9 ${String(child.pid)}`;
  const watcher = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'] });
  watcher.unref();
  child.once('exit', () => watcher.kill('SIGKILL'));
}
