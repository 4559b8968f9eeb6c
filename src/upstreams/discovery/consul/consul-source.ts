import type { IncomingMessage } from 'node:http';
import { readSecret } from '../../../config/secrets.ts';
import type { KindOptions } from '../discovery.schema.ts';
import { MAX_LISTED, Unknown, type Asking, type DiscoverySource, type Known } from '../discovery-source.ts';
import { jsonOf, refusalOf, RegistryClient } from '../registry-client.ts';
import { readEntries } from './consul-entries.ts';

/** What a service of Consul is asked with. */
export interface ConsulSourceOptions extends Omit<KindOptions<'consul'>, 'ca' | 'tokenEnv'> {
  readonly scheme: string;
  /** Authorities of an agent over TLS, as PEM. */
  readonly ca?: string | undefined;
  readonly token?: string | undefined;
}

const NETWORK_MS = 5000;
/** How many questions may follow each other at once: an agent whose index does not hold back is asked slowly. */
const BURST = 2;
const ONE_PER_MS = 15_000;
const OK = 200;
const HINTS: Readonly<Record<number, string>> = {
  400: 'the question is wrong: check service, tags and datacenter',
  403: 'the token is not known, or may not read service and node',
  429: 'the agent limits requests or connections',
};

/** The instances of one service in the catalogue of Consul, asked with blocking queries of the health API. */
export class ConsulSource implements DiscoverySource {
  readonly longestMs: number;
  readonly #options: ConsulSourceOptions;
  readonly #client: RegistryClient;
  #index = 0n;
  #tokens = BURST;
  #filledAt = performance.now();

  constructor(options: ConsulSourceOptions) {
    this.#options = options;
    this.#client = new RegistryClient(options.ca === undefined ? {} : { ca: options.ca });
    this.longestMs = mostMsOf(options.wait);
  }

  async next({ signal, withinMs }: Asking): Promise<Known> {
    const waitMs = Math.max(1000, Math.min(this.#options.wait, withinMs));
    const askedAt = performance.now();
    const asked = this.#index;
    try {
      const url = this.#urlOf(waitMs);
      const headers = this.#headers();
      const answer = await this.#client.ask({ url, headers, headMs: mostMsOf(waitMs), signal });
      if (answer.statusCode !== OK) throw await refusalOf(answer, HINTS[answer.statusCode ?? 0]);
      const { value: list } = await jsonOf(answer);
      if (!Array.isArray(list)) throw new Unknown('the agent answered with something that is no list');
      if (list.length > MAX_LISTED)
        throw new Unknown(`expected at most ${MAX_LISTED} instances, found ${list.length}`);
      refuseFiltered(answer, list.length, this.#options);
      this.#index = nextIndex(asked, answer.headers['x-consul-index']);
      const { targets, skipped } = readEntries(list, this.#options.scheme);
      const heldBackMs = performance.now() - askedAt;
      return { targets, skipped, version: versionOf(answer), waitMs: this.#pauseMs(asked, heldBackMs) };
    } catch (error) {
      // What is said next may come of another server, or of one that has restarted.
      this.#index = 0n;
      throw error;
    }
  }

  close(): void {
    this.#client.close();
  }

  #urlOf(waitMs: number): URL {
    const { url, service, datacenter, tags, stale } = this.#options;
    const asked = new URL(
      `v1/health/service/${encodeURIComponent(service)}`,
      url.endsWith('/') ? url : `${url}/`,
    );
    if (this.#index > 0n) {
      asked.searchParams.set('index', String(this.#index));
      // Without a unit it is refused.
      asked.searchParams.set('wait', `${Math.ceil(waitMs)}ms`);
    }
    if (datacenter !== undefined) asked.searchParams.set('dc', datacenter);
    for (const tag of tags) asked.searchParams.append('tag', tag);
    if (stale) asked.searchParams.set('stale', '');
    return asked;
  }

  // Never in the query, which gets into logs.
  #headers(): Record<string, string> {
    const { token, tokenFile } = this.#options;
    if (tokenFile === undefined) return token === undefined ? {} : { 'x-consul-token': token };
    try {
      return { 'x-consul-token': readSecret({ file: tokenFile }).trim() };
    } catch (error) {
      throw new Unknown(`the file of the token: ${(error as Error).message}`);
    }
  }

  // A token per question that was not held back; whoever has none left waits.
  #pauseMs(asked: bigint, heldBackMs: number): number {
    const now = performance.now();
    this.#tokens = Math.min(BURST, this.#tokens + (now - this.#filledAt) / ONE_PER_MS);
    this.#filledAt = now;
    if (asked === 0n || heldBackMs > 1000) return 0;
    this.#tokens = Math.max(-6, this.#tokens - 1);
    // Changes that follow each other are no loop: they cost a little patience only.
    if (this.#tokens >= 0) return 0;
    return Math.min(ONE_PER_MS, 250 * 2 ** Math.min(-this.#tokens, 6));
  }
}

/** When an answer is overdue: the agent adds up to a sixteenth to spread its clients. */
function mostMsOf(waitMs: number): number {
  return waitMs * 1.1 + NETWORK_MS;
}

/** The index to ask with next; 0 to ask anew, where it went backwards. */
function nextIndex(asked: bigint, field: string | string[] | undefined): bigint {
  const said = typeof field === 'string' && /^\d{1,20}$/.test(field) ? BigInt(field) : 0n;
  // Without an index nothing is held back: a loop without a pause.
  if (said <= 0n) return 1n;
  return said < asked ? 0n : said;
}

function versionOf({ headers }: IncomingMessage): string | undefined {
  const index = headers['x-consul-index'];
  if (typeof index !== 'string') return undefined;
  const contact = headers['x-consul-lastcontact'];
  const leader = headers['x-consul-knownleader'] === 'false' ? ', no leader' : '';
  return `index ${index}${typeof contact === 'string' && contact !== '0' ? `, ${contact}ms behind the leader` : ''}${leader}`;
}

// Too little permission looks like a service without instances.
function refuseFiltered({ headers }: IncomingMessage, length: number, options: ConsulSourceOptions): void {
  if (headers['x-consul-results-filtered-by-acls'] === 'true')
    throw new Unknown('the token may not see all instances: it needs service:read and node:read');
  const isAnonymous = options.token === undefined && options.tokenFile === undefined;
  if (length === 0 && isAnonymous && headers['x-consul-default-acl-policy'] === 'deny')
    throw new Unknown('nothing is visible without a token, for the ACLs of Consul deny by default');
}
