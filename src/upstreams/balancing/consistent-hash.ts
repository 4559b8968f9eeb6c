import type { Exchange } from '../../exchange/exchange.ts';
import type { Target } from '../target.ts';
import type { Balancer } from './balancer.ts';
import type { HashKey } from './hash-key.ts';
import { LeastRequests } from './least-requests.ts';
import { maglevTable } from './maglev-table.ts';
import { mixed, textHash } from './text-hash.ts';

const KEY_SEED = 0xbb67ae85;
const WAY_SEED = 0xa54ff53a;
const RANK_SEED = 0x1f83d9ab;
/** How often a key that meets a target that is not available is sent on to another place. */
const PROBES = 8;

/**
 * Sends what has the same key to the same target, in every process that knows the same targets. A target that is not
 * available keeps its places: its keys alone go elsewhere for a while, spread over the others, and come back. What has no
 * key goes to the target with the fewest calls.
 */
export class ConsistentHash implements Balancer {
  readonly #keyOf: HashKey;
  readonly #keyless = new LeastRequests();
  readonly #tables = new WeakMap<readonly Target[], Uint16Array>();
  #all: readonly Target[] | undefined = undefined;
  #table: Uint16Array = new Uint16Array(1);

  constructor(keyOf: HashKey) {
    this.#keyOf = keyOf;
  }

  draw(exchange: Exchange | undefined): number | undefined {
    const key = exchange === undefined ? undefined : this.#keyOf(exchange);
    // Another seed: whoever goes another way must not all have places of the same targets.
    return key === undefined ? undefined : textHash(key, WAY_SEED) / 2 ** 32;
  }

  choose(targets: readonly Target[], exchange?: Exchange, all: readonly Target[] = targets): Target {
    const key = exchange === undefined ? undefined : this.#keyOf(exchange);
    if (key === undefined) return this.#keyless.choose(targets);
    if (targets.length === 1) return targets[0] as Target;
    if (all !== this.#all) this.#turnTo(all);
    let hash = textHash(key, KEY_SEED);
    for (let probe = 0; probe < PROBES; probe += 1) {
      const target = all[this.#table[hash % this.#table.length] as number] as Target;
      if (targets === all || targets.includes(target)) return target;
      hash = mixed(hash + probe);
    }
    return ranked(targets, key);
  }

  peek(targets: readonly Target[], exchange?: Exchange, all?: readonly Target[]): Target | undefined {
    const hasKey = exchange !== undefined && this.#keyOf(exchange) !== undefined;
    return hasKey ? this.choose(targets, exchange, all) : undefined;
  }

  #turnTo(all: readonly Target[]): void {
    let table = this.#tables.get(all);
    if (table === undefined) {
      table = maglevTable(all.map(({ address, weight }) => ({ key: address, weight })));
      this.#tables.set(all, table);
    }
    this.#all = all;
    this.#table = table;
  }
}

/** The target that a key ranks highest, where hardly any is left (rendezvous hashing). */
function ranked(targets: readonly Target[], key: string): Target {
  const hash = textHash(key, RANK_SEED);
  let best = targets[0] as Target;
  let highest = -1;
  for (const target of targets) {
    const rank = mixed(hash ^ textHash(target.address, RANK_SEED));
    if (rank <= highest) continue;
    best = target;
    highest = rank;
  }
  return best;
}
