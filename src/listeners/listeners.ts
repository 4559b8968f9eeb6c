import { Listener, type ListenerDeps } from './listener.ts';
import type { ListenerSettings } from './listener-settings.ts';

/** A port that cannot be listened on. */
export interface PortFault {
  /** Which listener of the configuration it is. */
  readonly index: number;
  readonly key: 'port' | 'host';
  readonly message: string;
}

/** What keeps a socket from being listened on, in words. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken',
  EACCES: 'no permission to listen on the port',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'this machine has no such address',
};

const OF_HOST: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'ENOTFOUND']);

/** The listeners of the configuration in force. Those that a configuration shares with the one before stay open. */
export class Listeners {
  readonly #deps: ListenerDeps;
  readonly #defaultHost: string;
  #open = new Map<string, Listener>();
  /** Opened for a configuration that is not in force yet. */
  #prepared = new Map<string, Listener>();
  #order: readonly Listener[] = [];

  constructor(deps: ListenerDeps, defaultHost: string) {
    this.#deps = deps;
    this.#defaultHost = defaultHost;
  }

  /** Those in force, in the order of the file. */
  get all(): readonly Listener[] {
    return this.#order;
  }

  /** Opens what another configuration adds, for {@link use} or {@link giveUp}. @returns what cannot be opened. */
  async prepare(options: readonly ListenerSettings['options'][]): Promise<readonly PortFault[]> {
    const faults: PortFault[] = [];
    for (const [index, key] of this.#keysOf(options).entries()) {
      if (this.#open.has(key) || this.#prepared.has(key)) continue;
      const { port, host = this.#defaultHost } = options[index] as ListenerSettings['options'];
      const listener = new Listener(this.#deps);
      try {
        await listener.listen(port, host);
        this.#prepared.set(key, listener);
      } catch (error) {
        const { code = '', message } = error as NodeJS.ErrnoException;
        faults.push({ index, key: OF_HOST.has(code) ? 'host' : 'port', message: REASONS[code] ?? message });
      }
    }
    return faults;
  }

  /** Puts a configuration into force: what it adds was prepared, and what it leaves out takes no connections any more. */
  use(settings: readonly ListenerSettings[]): void {
    const keys = this.#keysOf(settings.map(({ options }) => options));
    const next = new Map<string, Listener>();
    for (const [index, key] of keys.entries()) {
      const listener = this.#open.get(key) ?? this.#prepared.get(key);
      if (listener === undefined) continue;
      this.#prepared.delete(key);
      next.set(key, listener);
      listener.use(settings[index] as ListenerSettings);
    }
    for (const [key, listener] of this.#open) if (!next.has(key)) listener.leave();
    this.#open = next;
    this.#order = [...next.values()];
    this.giveUp();
    this.#redirect(settings, keys);
  }

  /** Closes what was prepared and is not in force. */
  giveUp(): void {
    for (const listener of this.#prepared.values()) listener.leave();
    this.#prepared = new Map();
  }

  /** Takes no connections any more; see {@link Listener.leave}. */
  leave(): void {
    this.giveUp();
    for (const listener of this.#order) listener.leave();
  }

  #redirect(settings: readonly ListenerSettings[], keys: readonly string[]): void {
    const secure = settings.findIndex(({ options }) => options.tls !== undefined);
    for (const [index, { options }] of settings.entries()) {
      const listener = this.#open.get(keys[index] as string);
      const to = options.redirectToHttps;
      const port = to === true ? this.#open.get(keys[secure] as string)?.port : to || undefined;
      if (listener !== undefined) listener.redirectPort = port;
    }
  }

  // Any free port is another one for each listener that asks for it.
  #keysOf(options: readonly ListenerSettings['options'][]): readonly string[] {
    let free = 0;
    return options.map(
      ({ port, host = this.#defaultHost }) => `${host} ${port === 0 ? `free ${free++}` : port}`,
    );
  }
}
