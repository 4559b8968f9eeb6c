import { getServers } from 'node:dns';
import type { Answer, SrvAnswer } from 'dns-packet';
import type { TargetOptions } from '../../target.schema.ts';
import type { KindOptions } from '../discovery.schema.ts';
import { Unknown, originOf, type Asking, type DiscoverySource, type Known } from '../discovery-source.ts';
import { dnsServer, plainName } from './dns-server.ts';
import { Resolver, ROUNDS } from './resolver.ts';
import { SetUnion } from './set-union.ts';

/** What a name is looked up with. */
export interface DnsSourceOptions extends KindOptions<'dns'> {
  readonly scheme: string;
  /** From 0 to below 1. Default `Math.random`. */
  readonly random?: () => number;
}

interface Addresses {
  readonly list: readonly string[];
  /** In seconds. */
  readonly ttl: number;
  /** Whether it is what was known before, since its servers are ill now. */
  readonly isOld?: boolean;
}

const RETRY_AFTER_MS = 1000;
/** Aliases, SRV and the addresses of its targets follow each other. */
const STEPS = 4;
const JITTER = 0.1;
/** Names of SRV records that are looked up at once. */
const AT_ONCE = 8;
/** Where some records have weight 0, which is rarely but not never (RFC 2782), this is what one of weight 1 has. */
const SCALE = 100;

/** The targets that a name of DNS leads to, by its addresses or its SRV records. */
export class DnsSource implements DiscoverySource {
  readonly longestMs: number;
  readonly #options: DnsSourceOptions;
  readonly #resolver: Resolver;
  readonly #union = new SetUnion();
  /** What was last known of each name and family, for while its servers are ill. */
  #known = new Map<string, Addresses>();
  #asked = new Map<string, Addresses>();

  constructor(options: DnsSourceOptions) {
    this.#options = options;
    const { servers, transport, timeout: timeoutMs } = options;
    const named = servers?.map(dnsServer);
    this.#resolver = new Resolver({
      servers: () => named ?? getServers().map(dnsServer),
      transport,
      timeoutMs,
    });
    this.longestMs = timeoutMs * ROUNDS * STEPS * Math.max(1, (named ?? getServers()).length);
  }

  async next({ signal }: Asking): Promise<Known> {
    this.#asked = new Map();
    const skipped: string[] = [];
    try {
      const found =
        this.#options.type === 'SRV' ? await this.#services(signal, skipped) : await this.#hosts(signal);
      this.#known = this.#asked;
      return { targets: this.#union.add(found.targets), skipped, waitMs: this.#waitMs(found.ttl) };
    } catch (error) {
      throw new Unknown((error as Error).message, { cause: error, afterMs: RETRY_AFTER_MS });
    }
  }

  close(): void {
    // Nothing is held between two questions.
  }

  async #hosts(signal: AbortSignal): Promise<Found> {
    const { name, port = 0, type } = this.#options;
    const families = type === 'A+AAAA' ? (['A', 'AAAA'] as const) : ([type as 'A' | 'AAAA'] as const);
    const found = await Promise.all(families.map((family) => this.#addresses(name, family, signal)));
    if (found.every(({ isOld }) => isOld === true)) throw new Unknown(`no name server answers for ${name}`);
    const targets = found
      .flatMap(({ list }) => list)
      .flatMap((address) => this.#target({ address, port, name }) ?? []);
    return { targets, ttl: Math.min(...found.map(({ ttl }) => ttl)) };
  }

  async #services(signal: AbortSignal, skipped: string[]): Promise<Found> {
    const { records, ttl, additionals } = await this.#resolver.resolve(this.#options.name, 'SRV', signal);
    // A target of `.` says that the service is decidedly not there.
    const services = records.filter(({ data }) => data.target !== '.');
    const scale =
      services.some(({ data }) => !data.weight) && services.some(({ data }) => data.weight) ? SCALE : 1;
    const targets = new Map<string, TargetOptions>();
    let least = ttl;
    const besides = besidesOf(additionals);
    await inTurns(services, async ({ data }) => {
      try {
        if (data.port === 0) throw new Unknown(`${data.target} has port 0`);
        const addresses = besides.get(plainName(data.target)) ?? (await this.#either(data.target, signal));
        if (addresses.list.length === 0) throw new Unknown(`${data.target} has no address`);
        least = Math.min(least, addresses.ttl);
        const more = { weight: (data.weight ?? 0) * scale || 1, priority: data.priority ?? 0 };
        for (const address of addresses.list) {
          const target = this.#target({ address, port: data.port, name: data.target, ...more });
          if (target !== undefined && !targets.has(target.url)) targets.set(target.url, target);
        }
      } catch (error) {
        skipped.push((error as Error).message);
      }
    });
    return { targets: [...targets.values()], ttl: least };
  }

  // IPv6 only where there is no IPv4, so that no target counts twice.
  async #either(name: string, signal: AbortSignal): Promise<Addresses> {
    const four = await this.#addresses(name, 'A', signal);
    return four.list.length > 0 ? four : this.#addresses(name, 'AAAA', signal);
  }

  async #addresses(name: string, type: 'A' | 'AAAA', signal: AbortSignal): Promise<Addresses> {
    const key = `${type} ${plainName(name)}`;
    try {
      const { records, ttl } = await this.#resolver.resolve(name, type, signal);
      const addresses = { list: records.map(({ data }) => data), ttl };
      this.#asked.set(key, addresses);
      return addresses;
    } catch (error) {
      const before = this.#known.get(key);
      if (before === undefined || this.#options.type === type) throw error;
      const old = { list: before.list, ttl: 0, isOld: true };
      this.#asked.set(key, old);
      return old;
    }
  }

  #target({ address, port, name, weight = 1, priority = 0 }: Place): TargetOptions | undefined {
    const url = originOf(this.#options.scheme, address, port);
    return url === undefined ? undefined : { url, weight, labels: {}, priority, serverName: plainName(name) };
  }

  #waitMs(ttl: number): number {
    const { minTtl, maxTtl, random = Math.random } = this.#options;
    return Math.min(Math.max(ttl * 1000, minTtl), maxTtl) * (1 - JITTER + 2 * JITTER * random());
  }
}

interface Found {
  readonly targets: readonly TargetOptions[];
  readonly ttl: number;
}

interface Place {
  readonly address: string;
  readonly port: number;
  readonly name: string;
  readonly weight?: number;
  readonly priority?: number;
}

/** What was sent along about names, as {@link plainName} has them: their IPv4 addresses, or else those of IPv6. */
function besidesOf(additionals: readonly Answer[]): ReadonlyMap<string, Addresses> {
  const found = new Map<string, { list: string[]; ttl: number }>();
  for (const type of ['A', 'AAAA'] as const) {
    const before = new Set(found.keys());
    for (const one of additionals) {
      if (one.type !== type) continue;
      const name = plainName(one.name);
      if (before.has(name)) continue;
      const addresses = found.get(name) ?? { list: [], ttl: Infinity };
      addresses.list.push(one.data);
      addresses.ttl = Math.min(addresses.ttl, one.ttl ?? 0);
      found.set(name, addresses);
    }
  }
  return found;
}

async function inTurns(
  services: readonly SrvAnswer[],
  each: (one: SrvAnswer) => Promise<void>,
): Promise<void> {
  const rest = [...services];
  const worker = async (): Promise<void> => {
    for (let one = rest.shift(); one !== undefined; one = rest.shift()) await each(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
