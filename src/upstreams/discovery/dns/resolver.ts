import type { Answer, SoaAnswer, SrvAnswer, StringAnswer } from 'dns-packet';
import { Unknown } from '../discovery-source.ts';
import {
  askServer,
  plainName,
  sameName,
  type DnsAnswer,
  type DnsServer,
  type RecordType,
} from './dns-server.ts';

/** How a resolver asks. */
export interface ResolverOptions {
  /** In the order in which they are asked. */
  readonly servers: () => readonly DnsServer[];
  readonly transport: 'udp' | 'tcp';
  /** How long one server has for one question, in ms. */
  readonly timeoutMs: number;
}

/** The records of a name. None of them: the name has none, and that is certain. */
export interface Resolved<Of extends Answer = Answer> {
  readonly records: readonly Of[];
  /** How long that holds, in seconds: the least of the records and of the aliases that led to them. */
  readonly ttl: number;
  /** What the server said beside them. */
  readonly additionals: readonly Answer[];
}

/** How often all servers are asked before nothing is known. */
export const ROUNDS = 2;
/** How many aliases are followed (RFC 1034 section 3.6.2 gives no number). */
const MAX_ALIASES = 8;
const MAX_NEGATIVE_SECONDS = 30;
const CERTAIN: ReadonlySet<string> = new Set(['NOERROR', 'NXDOMAIN']);

/** Looks names up, with all that the wire tells and the system's functions keep back: times to live, and what else was said. */
export class Resolver {
  readonly #options: ResolverOptions;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** @throws {Unknown} when no server gives a certain answer, or aliases lead nowhere. */
  async resolve(name: string, type: 'SRV', signal: AbortSignal): Promise<Resolved<SrvAnswer>>;
  async resolve(name: string, type: 'A' | 'AAAA', signal: AbortSignal): Promise<Resolved<StringAnswer>>;
  async resolve(name: string, type: RecordType, signal: AbortSignal): Promise<Resolved> {
    const chain = new Chain(name);
    for (;;) {
      const asked = chain.end;
      const answer = await this.#ask(asked, type, signal);
      chain.follow(answer.answers ?? []);
      const records = (answer.answers ?? []).filter(
        (one) => one.type === type && sameName(one.name, chain.end),
      );
      if (records.length > 0) {
        const ttl = Math.min(chain.ttl, ...records.map((one) => ttlOf(one)));
        return { records, ttl, additionals: answer.additionals ?? [] };
      }
      // A server that does not look behind an alias says nothing about what is there.
      const isEnd = chain.end === asked || answer.rcode === 'NXDOMAIN' || soaOf(answer) !== undefined;
      if (isEnd) return { records, ttl: Math.min(chain.ttl, negativeTtlOf(answer)), additionals: [] };
    }
  }

  // One server that is ill, or does not know us, says nothing about the others.
  async #ask(name: string, type: RecordType, signal: AbortSignal): Promise<DnsAnswer> {
    const { servers, transport, timeoutMs } = this.#options;
    const reasons = new Set<string>();
    const asked = Array.from({ length: ROUNDS }, servers).flat();
    for (const server of asked) {
      if (signal.aborted) throw new Unknown('given up');
      try {
        const answer = await askServer(server, { name, type, transport, timeoutMs, signal });
        if (CERTAIN.has(answer.rcode)) return answer;
        reasons.add(`${server.address}: ${answer.rcode}`);
      } catch (error) {
        reasons.add(`${server.address}: ${(error as Error).message}`);
      }
    }
    const why = [...reasons].slice(0, 4).join(', ') || 'there are none';
    throw new Unknown(`no name server answers for ${name} ${type}: ${why}`);
  }
}

/** The aliases from a name to where its records are. */
class Chain {
  end: string;
  /** In seconds. */
  ttl = Infinity;
  readonly #seen = new Set<string>();
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
    this.end = plainName(name);
    this.#seen.add(this.end);
  }

  /** @throws {Unknown} when there are too many, or they lead back. */
  follow(answers: readonly Answer[]): void {
    for (;;) {
      const alias = answers.find((one) => one.type === 'CNAME' && sameName(one.name, this.end)) as
        | StringAnswer
        | undefined;
      if (alias === undefined) return;
      this.end = plainName(alias.data);
      this.ttl = Math.min(this.ttl, ttlOf(alias));
      if (this.#seen.has(this.end))
        throw new Unknown(`the aliases of ${this.#name} lead back to where they began`);
      this.#seen.add(this.end);
      if (this.#seen.size > MAX_ALIASES + 1)
        throw new Unknown(`${this.#name} has more than ${MAX_ALIASES} aliases behind each other`);
    }
  }
}

function ttlOf(answer: Answer): number {
  return 'ttl' in answer && typeof answer.ttl === 'number' ? answer.ttl : 0;
}

function soaOf({ authorities }: DnsAnswer): SoaAnswer | undefined {
  return authorities?.find((one): one is SoaAnswer => one.type === 'SOA');
}

// RFC 2308 section 5.
function negativeTtlOf(answer: DnsAnswer): number {
  const soa = soaOf(answer);
  if (soa === undefined) return 0;
  return Math.min(ttlOf(soa), soa.data.minimum ?? 0, MAX_NEGATIVE_SECONDS);
}
