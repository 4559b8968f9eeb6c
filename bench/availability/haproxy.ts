import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../src/listeners/free-port.ts';
import { onPath } from '../machine.ts';
import type { Subject } from '../stand.ts';
import type { World } from '../chaos/world.ts';

/** Between two questions to a replica, in ms; two bad answers take it out. */
export const CHECK_EVERY_MS = 200;
export const FALL = 2;

interface Ports {
  readonly http1: number;
  readonly http2: number;
  readonly stats: number;
}

/** A real HAProxy in front of replicas. */
export class Haproxy {
  /** For HTTP/1.1, WebSockets and event streams. */
  readonly origin: string;
  /** For HTTP/2 without TLS, which it speaks to the replicas as well. */
  readonly http2Origin: string;
  readonly subject: Subject;
  readonly #stats: string;

  private constructor(subject: Subject, { http1, http2, stats }: Ports) {
    this.subject = subject;
    this.origin = `http://127.0.0.1:${http1}`;
    this.http2Origin = `http://127.0.0.1:${http2}`;
    this.#stats = `http://127.0.0.1:${stats}/;csv`;
  }

  /** Starts one in front of replicas that listen on these ports. */
  static async start({ stand }: World, replicas: readonly number[]): Promise<Haproxy> {
    const ports = { http1: await freePort(), http2: await freePort(), stats: await freePort() };
    const file = join(stand.folder, `haproxy-${ports.http1}.cfg`);
    writeFileSync(file, configFor(ports, replicas));
    const command = onPath('haproxy') ?? '/usr/sbin/haproxy';
    const args = ['-db', '-q', '-f', file];
    const subject = await stand.startServer({ name: 'haproxy', command, args, env: {}, port: ports.http1 });
    return new Haproxy(subject, ports);
  }

  /** Which replicas it sends requests to, by their place. */
  async up(): Promise<readonly boolean[]> {
    const rows = (await (await fetch(this.#stats)).text())
      .trim()
      .split('\n')
      .map((row) => row.split(','));
    const status = (rows[0] as string[]).indexOf('status');
    return rows
      .filter(([backend, server]) => backend === 'gateways' && server?.startsWith('gateway-') === true)
      .map((row) => row[status]?.startsWith('UP') === true);
  }
}

/** What docs/operations.md shows, with ports of this run. */
function configFor({ http1, http2, stats }: Ports, replicas: readonly number[]): string {
  const servers = (more: (name: string) => string): string =>
    replicas
      .map((port, index) => `  server gateway-${index + 1} 127.0.0.1:${port} ${more(`gateway-${index + 1}`)}`)
      .join('\n');
  return `global
  maxconn 4000

defaults
  mode http
  option redispatch
  retries 2
  retry-on conn-failure
  timeout connect 2s
  timeout check 5s
  timeout http-request 15s
  timeout http-keep-alive 60s
  timeout client 75s
  timeout server 75s
  timeout tunnel 1h

frontend clients
  bind 127.0.0.1:${http1}
  default_backend gateways

frontend clients-http2
  bind 127.0.0.1:${http2} proto h2
  default_backend gateways-http2

backend gateways
  balance leastconn
  option httpchk
  http-check send meth GET uri /health/ready ver HTTP/1.1 hdr Host gateway
  http-check expect status 200
  default-server check inter ${CHECK_EVERY_MS}ms fall ${FALL} rise 1
${servers(() => '')}

backend gateways-http2
  balance roundrobin
${servers((name) => `proto h2 track gateways/${name}`)}

frontend stats
  bind 127.0.0.1:${stats}
  stats enable
  stats uri /
`;
}
