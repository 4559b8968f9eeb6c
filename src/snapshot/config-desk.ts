import type { ConfigEntry } from './config-history.ts';
import type { Difference } from './config-standing.ts';
import type { Reload, Reloads } from './reloads.ts';

/** Injection token of the {@link ConfigDesk} of several processes; without it a process has its own. */
export const CONFIG_DESK = Symbol('CONFIG_DESK');

/** Which configuration is in force. */
export interface ConfigPlace {
  readonly generation: number;
  readonly difference?: Difference | undefined;
}

/** Why an earlier configuration is not taken back. */
export type RollbackRefusal = 'unknown' | 'forgotten' | 'refused' | 'in-force';

/** What operators want to know of configurations, and to have done with them; the same for all processes of a gateway. */
export interface ConfigDesk {
  place(): Promise<ConfigPlace>;
  /** The latest first. */
  history(): Promise<readonly ConfigEntry[]>;
  /** As it was written; undefined where it is not kept. */
  text(generation: number): Promise<string | undefined>;
  /** Reads the file again and puts it into force. @param by who wants it. */
  reload(by: string): Promise<Reload>;
  /** Puts an earlier configuration into force again. */
  rollback(generation: number, by: string): Promise<Reload | RollbackRefusal>;
}

/** What speaks against taking a configuration back, before it is looked at. */
export function rollbackRefusal(
  history: readonly ConfigEntry[],
  generation: number,
): RollbackRefusal | undefined {
  const entry = history.find((one) => one.generation === generation);
  if (entry === undefined) return 'unknown';
  if (entry.outcome === 'refused') return 'refused';
  if (entry.outcome === 'in-force') return 'in-force';
  return entry.isKept ? undefined : 'forgotten';
}

/** That of a process that serves alone. */
export class OwnConfigDesk implements ConfigDesk {
  readonly #reloads: Reloads;

  constructor(reloads: Reloads) {
    this.#reloads = reloads;
  }

  async place(): Promise<ConfigPlace> {
    const { generation, difference } = this.#reloads;
    return { generation, difference };
  }

  async history(): Promise<readonly ConfigEntry[]> {
    return this.#reloads.history.list();
  }

  text(generation: number): Promise<string | undefined> {
    return this.#reloads.history.text(generation);
  }

  reload(by: string): Promise<Reload> {
    return this.#reloads.reload('order', undefined, by);
  }

  async rollback(generation: number, by: string): Promise<Reload | RollbackRefusal> {
    const refusal = rollbackRefusal(this.#reloads.history.list(), generation);
    if (refusal !== undefined) return refusal;
    const text = await this.text(generation);
    return text === undefined ? 'forgotten' : this.#reloads.rollback({ text, generation }, by);
  }
}
