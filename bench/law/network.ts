import { execFileSync } from 'node:child_process';
import { onPath } from '../machine.ts';

/** Where a process is. */
export interface Place {
  /** The address that it listens on. */
  readonly host: string;
  /** What its command line begins with. */
  readonly prefix: readonly string[];
}

/** A host for each replica, and one for all that they share. */
export interface Network {
  /** What it is, for people. */
  readonly title: string;
  /** Where load balancers, Redis and targets are. */
  readonly shared: string;
  /** The places of the replicas of each fleet. */
  readonly places: readonly (readonly Place[])[];
  close(): void;
}

const LOOPBACK: Place = { host: '127.0.0.1', prefix: [] };

/**
 * A network namespace for each replica of each fleet, with a `veth` pair to a bridge where everything else is. Without root, or
 * without `ip`, all are processes on loopback.
 *
 * @param delayMs that `tc netem` adds to each packet of a replica, a fifth more or less. Default: none.
 */
export function openNetwork(sizes: readonly number[], delayMs = 0): Network {
  const why = whyNot();
  return why === undefined ? new Namespaces(sizes, delayMs) : onLoopback(sizes, why);
}

/** All are processes on loopback. @param why for people. */
export function onLoopback(sizes: readonly number[], why: string): Network {
  const places = sizes.map((size) => Array.from({ length: size }, () => LOOPBACK));
  return { title: `processes on loopback: ${why}`, shared: LOOPBACK.host, places, close: () => undefined };
}

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  if (onPath('ip') === undefined) return 'there is no `ip` (Debian: iproute2)';
  try {
    const name = `law${process.pid}-try`;
    ip('netns', 'add', name);
    ip('netns', 'del', name);
    return undefined;
  } catch (error) {
    return `no network namespaces here (${(error as Error).message.split('\n')[0] ?? ''})`;
  }
}

class Namespaces implements Network {
  readonly title: string;
  readonly shared: string;
  readonly places: readonly (readonly Place[])[];
  // Names of interfaces have 15 characters at most.
  readonly #name = `law${process.pid % 1e6}`;

  constructor(sizes: readonly number[], delayMs: number) {
    // Two runs at once are in networks of their own.
    const net = `10.231.${process.pid % 250}`;
    this.shared = `${net}.1`;
    this.title = `a network namespace for each replica, one bridge${delayMs > 0 ? `, ${delayMs} ms of netem` : ''}`;
    let next = 0;
    this.places = sizes.map((size) =>
      Array.from({ length: size }, () => {
        const index = next++;
        return { host: `${net}.${10 + index}`, prefix: ['ip', 'netns', 'exec', this.#of(index)] };
      }),
    );
    try {
      ip('link', 'add', this.#name, 'type', 'bridge');
      ip('addr', 'add', `${this.shared}/24`, 'dev', this.#name);
      ip('link', 'set', this.#name, 'up');
      for (const [index, { host }] of this.places.flat().entries()) {
        this.#add(this.#of(index), host);
        if (delayMs > 0) this.#delay(this.#of(index), delayMs);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    for (const index of this.places.flat().keys()) quietly('netns', 'del', this.#of(index));
    quietly('link', 'del', this.#name);
  }

  #of(index: number): string {
    return `${this.#name}-${index}`;
  }

  #delay(space: string, ms: number): void {
    const netem = ['qdisc', 'add', 'dev', 'eth0', 'root', 'netem', 'delay', `${ms}ms`, `${ms / 5}ms`];
    try {
      ip('netns', 'exec', space, 'tc', ...netem);
    } catch (error) {
      throw new Error('--delay: this kernel has no netem (`modprobe sch_netem`), or there is no `tc`', {
        cause: error,
      });
    }
  }

  #add(space: string, host: string): void {
    ip('netns', 'add', space);
    ip('link', 'add', space, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
    ip('link', 'set', space, 'master', this.#name, 'up');
    ip('-n', space, 'addr', 'add', `${host}/24`, 'dev', 'eth0');
    ip('-n', space, 'link', 'set', 'eth0', 'up');
    ip('-n', space, 'link', 'set', 'lo', 'up');
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', [...args], { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
}

function quietly(...args: readonly string[]): void {
  try {
    ip(...args);
  } catch {
    // It is gone already, or never was.
  }
}
