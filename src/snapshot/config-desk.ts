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

/** Generations of which one has to be in force when it is the turn of an order; any one where there are none. */
export type OnlyAt = readonly number[] | undefined;

/**
 * Why an order comes to nothing: `moved` where another configuration has come into force before its turn, `leaving` where the
 * gateway ends, `nobody` where no worker was there to take it. It is not carried out later.
 */
export type NotTaken = 'moved' | 'leaving' | 'nobody';

/** Whether an order is still meant when it is its turn. */
export function isMeant(only: OnlyAt, generation: number): boolean {
  return only === undefined || only.includes(generation);
}

/** What operators want to know of configurations, and to have done with them; the same for all processes of a gateway. */
export interface ConfigDesk {
  place(): Promise<ConfigPlace>;
  /** The latest first. */
  history(): Promise<readonly ConfigEntry[]>;
  /** As it was written; undefined where it is not kept. */
  text(generation: number): Promise<string | undefined>;
  /** Reads the file again and puts it into force. @param by who wants it. */
  reload(by: string, only?: OnlyAt): Promise<Reload | NotTaken>;
  /** Puts an earlier configuration into force again. */
  rollback(generation: number, by: string, only?: OnlyAt): Promise<Reload | RollbackRefusal | NotTaken>;
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
    return this.#reloads.place;
  }

  async history(): Promise<readonly ConfigEntry[]> {
    return this.#reloads.history.list();
  }

  text(generation: number): Promise<string | undefined> {
    return this.#reloads.history.text(generation);
  }

  reload(by: string, only?: OnlyAt): Promise<Reload | NotTaken> {
    if (only === undefined) return this.#unlessClosed(() => this.#reloads.reload('order', undefined, by));
    return this.#unlessClosed(() =>
      this.#reloads.inTurn(async (reload) =>
        isMeant(only, this.#reloads.generation) ? reload({ trigger: 'order', by }) : 'moved',
      ),
    );
  }

  rollback(generation: number, by: string, only?: OnlyAt): Promise<Reload | RollbackRefusal | NotTaken> {
    return this.#unlessClosed(() =>
      this.#reloads.inTurn(async (reload) => {
        if (!isMeant(only, this.#reloads.generation)) return 'moved';
        // At its turn: what was in force when it was ordered may not be so any more.
        const refusal = rollbackRefusal(this.#reloads.history.list(), generation);
        if (refusal !== undefined) return refusal;
        const text = await this.text(generation);
        if (text === undefined) return 'forgotten';
        return reload({ trigger: 'rollback', earlier: { text, generation }, by });
      }),
    );
  }

  // Fails closed: what is not put into force any more is not said to have been.
  async #unlessClosed<End extends Reload | string>(act: () => Promise<End>): Promise<End | 'leaving'> {
    if (this.#reloads.isClosed) return 'leaving';
    const end = await act();
    const isNothing = typeof end === 'object' && end.outcome === 'unchanged';
    return isNothing && this.#reloads.isClosed ? 'leaving' : end;
  }
}
