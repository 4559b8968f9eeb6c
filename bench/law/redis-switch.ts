import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../src/listeners/free-port.ts';
import { startChild, untilListening } from '../children.ts';
import { onPath } from '../machine.ts';
import type { Stand } from '../stand.ts';

/** Who a gateway is connected to. */
export type Side = 'shared' | 'own';

/**
 * HAProxy between gateways and Redis, with a port for each gateway: behind all of them is the same Redis, or behind each another
 * one. So it is the very same processes that share, and that do not; two processes differ by a tenth in what a request costs, for
 * as long as they live.
 */
export class RedisSwitch {
  /** What each gateway takes for its Redis. */
  readonly urls: readonly string[];
  readonly child: ChildProcess;
  readonly #socket: string;

  private constructor(child: ChildProcess, socket: string, urls: readonly string[]) {
    this.child = child;
    this.#socket = socket;
    this.urls = urls;
  }

  /** @param ownUrls one for each gateway; all are `redis://host:port`. */
  static async start(stand: Stand, sharedUrl: string, ownUrls: readonly string[]): Promise<RedisSwitch> {
    const { hostname, host: shared } = new URL(sharedUrl);
    const ports: number[] = [];
    while (ports.length < ownUrls.length) ports.push(await freePort());
    const sections = ownUrls.map((url, at) => {
      return `listen r${at}
  bind ${hostname}:${ports[at]}
  server shared ${shared}
  server own ${new URL(url).host} disabled`;
    });
    const [file, socket] = [
      join(stand.folder, `switch-${ports[0]}.cfg`),
      join(stand.folder, `${ports[0]}.sock`),
    ];
    writeFileSync(file, configOf(socket, sections));
    const command = onPath('haproxy') ?? '/usr/sbin/haproxy';
    const child = startChild({ command, args: ['-db', '-q', '-f', file], core: stand.cores.others });
    await untilListening(child, ports[0] ?? 0, 'haproxy', hostname);
    return new RedisSwitch(
      child,
      socket,
      ports.map((port) => `redis://${hostname}:${port}`),
    );
  }

  /** Cuts all connections; those that come next go to that side. */
  async turnTo(side: Side): Promise<void> {
    const other: Side = side === 'shared' ? 'own' : 'shared';
    const lines = this.urls.flatMap((_, at) => [
      `set server r${at}/${side} state ready`,
      `set server r${at}/${other} state maint`,
      `shutdown sessions server r${at}/${other}`,
      `shutdown sessions server r${at}/${side}`,
    ]);
    const socket = connect(this.#socket);
    let answer = '';
    socket.setEncoding('utf8').on('data', (piece: string) => (answer += piece));
    socket.end(`${lines.join(';')}\n`);
    await once(socket, 'close');
    if (answer.trim() !== '') throw new Error(`haproxy: ${answer.trim()}`);
  }
}

function configOf(socket: string, sections: readonly string[]): string {
  return `global
  nbthread 1
  stats socket ${socket} level admin
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
${sections.join('\n')}
`;
}
