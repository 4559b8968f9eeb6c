import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayPorts } from './demo-ports.ts';

/** Another build than that of `npm run build`, such as that of the tests. */
const BIN = process.env['GATEHOUSE_BIN'] || join(import.meta.dirname, '../bin/gatehouse.js');
const BOOT_LIMIT_MS = 60_000;
/** What `npm start` gives Node. */
const NODE_OPTIONS = [
  '--max-semi-space-size=64',
  '--no-allocation-site-pretenuring',
  '--v8-pool-size=1',
  '--external-memory-accounted-in-global-limit',
];

/** A gateway in a process of its own. */
export class DemoGateway {
  readonly ports: GatewayPorts;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  /** @param environment with the variables of the configuration. */
  constructor(config: string, ports: GatewayPorts, environment: NodeJS.ProcessEnv) {
    this.ports = ports;
    this.#child = spawn(process.execPath, [...NODE_OPTIONS, BIN, 'start', '--config', config], {
      env: { ...environment, ...settings(ports, environment) },
      stdio: ['ignore', 'inherit', 'inherit'],
      // Ctrl-C reaches the whole group; the gateway is told to stop by us, once.
      detached: true,
    });
    this.#exited = once(this.#child, 'exit');
    // However we end, it does not stay.
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  /** Its address for clients of this machine. */
  get url(): string {
    return `http://127.0.0.1:${this.ports.port}`;
  }

  /** Its address for operators of this machine. */
  get adminUrl(): string {
    return `http://127.0.0.1:${this.ports.adminPort}`;
  }

  /** Whether it has not ended. */
  get runs(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Calls back when it ends, with its exit code; `null` for a signal. */
  onExit(heard: (code: number | null) => void): void {
    this.#child.once('exit', heard);
  }

  /**
   * Resolves once it takes requests, or has ended.
   *
   * @throws {Error} when neither is so after a minute.
   */
  async ready(): Promise<void> {
    const limit = performance.now() + BOOT_LIMIT_MS;
    while (this.runs && performance.now() < limit) {
      const answer = await fetch(`${this.url}/health/ready`).catch(() => undefined);
      if (answer?.ok) return;
      await sleep(50);
    }
    if (this.runs)
      throw new Error(
        `the gateway did not get ready within ${BOOT_LIMIT_MS / 1000} s; \`LOG_LEVEL=info npm run demo\` shows how far it comes`,
      );
  }

  async stop(): Promise<void> {
    if (!this.runs) return;
    this.#child.kill('SIGTERM');
    await this.#exited;
  }
}

function settings(
  { port, adminPort }: GatewayPorts,
  { LOG_LEVEL, REDIS_URL }: NodeJS.ProcessEnv,
): Record<string, string> {
  return {
    PORT: String(port),
    ADMIN_PORT: String(adminPort),
    // Without Redis it would only warn that revocations are of one process, and there is but one.
    LOG_LEVEL: LOG_LEVEL || (REDIS_URL ? 'warn' : 'error'),
    // Nobody but the one who presses Ctrl-C is waiting.
    DRAIN_DELAY: '0s',
    SHUTDOWN_TIMEOUT: '1s',
  };
}
