import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../src/listeners/free-port.ts';
import { killProcess, launchRedis } from './redis-process.ts';

/** A Redis server of the test's own: its process, its port, its folder, nothing on disk. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Opens a plain connection, closed by `stop`. */
  client(): Redis;
  /** Ends clients, server and folder; safe to call twice. */
  stop(): Promise<void>;
  /** Kills the server without a goodbye (SIGKILL): its connections are reset. */
  kill(): Promise<void>;
  /** Stalls the server (SIGSTOP): connections stay open, nothing is answered. */
  pause(): void;
  /** Lets a stalled server go on. */
  resume(): void;
  /** Starts a killed server again on the same port, empty. */
  restart(): Promise<void>;
}

const PORT_ATTEMPTS = 20;

/**
 * Starts a Redis server on a free port; another process that takes the port first only costs a retry.
 *
 * @param isCluster whether it is the only node of a cluster, which refuses calls with keys of several slots.
 */
export async function startRedis(isCluster = false): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-redis-'));
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      return new OwnRedis(port, folder, await launch(port, folder, isCluster));
    } catch (error) {
      if (attempt < PORT_ATTEMPTS && String(error).includes('Address already in use')) continue;
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }
}

class OwnRedis implements RedisServer {
  readonly port: number;
  readonly url: string;
  readonly #folder: string;
  readonly #clients: Redis[] = [];
  #child: ChildProcess;

  constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.url = `redis://127.0.0.1:${String(port)}`;
    this.#folder = folder;
    this.#child = child;
  }

  client(): Redis {
    const client = new Redis(this.url);
    client.on('error', () => undefined); // A test that kills the server expects its connections to fail.
    this.#clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.disconnect();
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async kill(): Promise<void> {
    await killProcess(this.#child);
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async restart(): Promise<void> {
    await this.kill();
    this.#child = await launch(this.port, this.#folder);
  }
}

async function launch(port: number, folder: string, isCluster = false): Promise<ChildProcess> {
  return launchRedis([
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'no',
    // The other port of a node is above the largest one by default, where this one is high.
    ...(isCluster ? ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())] : []),
  ]);
}
