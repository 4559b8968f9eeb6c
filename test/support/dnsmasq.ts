import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const places = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
/** Where it is; found or installed by scripts/ensure-dnsmasq.ts. */
export const DNSMASQ = places.map((folder) => join(folder, 'dnsmasq')).find((file) => existsSync(file));

/** A real name server of our own for the zone `test`, without a file of the system's. */
export class Dnsmasq {
  readonly port: number;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#child = child;
  }

  /** Starts one with addresses, as lines of a hosts file, and more options. It may take a moment until it answers. */
  static async start(hosts: readonly string[], more: readonly string[] = []): Promise<Dnsmasq> {
    const folder = mkdtempSync(join(tmpdir(), 'dnsmasq-'));
    const file = hostsFile(folder);
    writeFileSync(file, `${hosts.join('\n')}\n`);
    const port = await freeUdpPort();
    const options = [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--no-resolv',
      '--no-hosts',
      '--pid-file=',
      `--port=${port}`,
      '--listen-address=127.0.0.1',
      '--bind-interfaces',
      `--addn-hosts=${file}`,
      '--local=/test/',
      ...(process.getuid?.() === 0 ? ['--user=root'] : []),
      ...more,
    ];
    return new Dnsmasq(port, folder, spawn(DNSMASQ as string, options, { stdio: 'ignore' }));
  }

  /** Has other addresses from now on. */
  change(hosts: readonly string[]): void {
    writeFileSync(hostsFile(this.#folder), `${hosts.join('\n')}\n`);
    this.#child.kill('SIGHUP');
  }

  /** Ends it. */
  stop(): void {
    this.#child.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function hostsFile(folder: string): string {
  return join(folder, 'hosts');
}

async function freeUdpPort(): Promise<number> {
  const probe = createSocket('udp4');
  const port = await new Promise<number>((resolve) =>
    probe.bind(0, '127.0.0.1', () => resolve(probe.address().port)),
  );
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}
