import type { ConfigDesk, ConfigPlace, NotTaken, OnlyAt, RollbackRefusal } from '../snapshot/config-desk.ts';
import type { ConfigEntry } from '../snapshot/config-history.ts';
import type { Reload } from '../snapshot/reload-deps.ts';
import type { Channel } from './channel.ts';
import type { JointReloads } from './joint-reloads.ts';
import type { News, Orders, Questions, Requests } from './messages.ts';

/** What the primary knows of configurations, for its workers. */
export class JointConfigDesk implements ConfigDesk {
  readonly #reloads: () => JointReloads;

  constructor(reloads: () => JointReloads) {
    this.#reloads = reloads;
  }

  async place(): Promise<ConfigPlace> {
    return this.#reloads().place;
  }

  async history(): Promise<readonly ConfigEntry[]> {
    return this.#reloads().history.list();
  }

  text(generation: number): Promise<string | undefined> {
    return this.#reloads().history.text(generation);
  }

  reload(by: string, only?: OnlyAt): Promise<Reload | NotTaken> {
    return this.#reloads().reloadAt(by, only);
  }

  rollback(generation: number, by: string, only?: OnlyAt): Promise<Reload | RollbackRefusal | NotTaken> {
    return this.#reloads().rollback(generation, by, only);
  }
}

/** The same for a worker: it asks the primary, which has all workers do it. */
export class AskedConfigDesk implements ConfigDesk {
  readonly #channel: Channel<Requests, News, Questions, Orders>;

  constructor(channel: Channel<Requests, News, Questions, Orders>) {
    this.#channel = channel;
  }

  place(): Promise<ConfigPlace> {
    return this.#channel.ask('place', undefined);
  }

  history(): Promise<readonly ConfigEntry[]> {
    return this.#channel.ask('history', undefined);
  }

  text(generation: number): Promise<string | undefined> {
    return this.#channel.ask('text', { generation });
  }

  reload(by: string, only?: OnlyAt): Promise<Reload | NotTaken> {
    return this.#channel.ask('reloadAll', { by, only });
  }

  rollback(generation: number, by: string, only?: OnlyAt): Promise<Reload | RollbackRefusal | NotTaken> {
    return this.#channel.ask('rollback', { generation, by, only });
  }
}
