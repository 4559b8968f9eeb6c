import { ConfigError, type ConfigFault } from '../config/config-fault.ts';
import { nearestName } from '../config/nearest-name.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { FakeFault } from './answer-source.ts';
import { FakeUpstream } from './fake-upstream.ts';
import { findSource } from './find-source.ts';
import { missingUpstreams } from './missing.ts';

type Upstreams = GatewaySource['value']['upstreams'];

/** Which upstreams are faked. */
export interface FakesOptions {
  /** Those that always are, and the file that each is made of. */
  readonly wanted: readonly { readonly name: string; readonly file: string | undefined }[];
  /** Whether those are, too, that nobody listens for. */
  readonly missing: boolean;
  /** Hears of each answer. */
  readonly say: (line: string) => void;
}

/** Stands in for upstreams of a configuration that are not there, while a gateway is developed. */
export class Fakes {
  readonly #options: FakesOptions;
  readonly #fakes = new Map<string, FakeUpstream>();
  #missing: ReadonlySet<string> = new Set();
  /** As the file has them. */
  #real: Upstreams = {};

  constructor(options: FakesOptions) {
    this.#options = options;
  }

  /** Whether anything may be faked. */
  get isOn(): boolean {
    return this.#options.missing || this.#options.wanted.length > 0;
  }

  /** A line for each that is faked. */
  get lines(): readonly string[] {
    return [...this.#fakes].map(([name, { source }]) => {
      const why = this.#options.wanted.some((one) => one.name === name) ? '' : ', since nobody listens there';
      return `${name} is faked by ${source.told}${why}`;
    });
  }

  /** The files that answers are made of. */
  get files(): readonly string[] {
    const named = this.#options.wanted.flatMap(({ file }) => file ?? []);
    return [...named, ...[...this.#fakes.values()].flatMap(({ source }) => source.file ?? [])];
  }

  /**
   * Starts what stands in for upstreams of a configuration, and ends what does so no more. Files are read again.
   *
   * @throws {ConfigError} for an upstream that there is not, and for files that make no answers.
   */
  async prepare({ value: { upstreams } }: Pick<GatewaySource, 'value'>): Promise<void> {
    if (!this.isOn) return;
    const known = Object.keys(upstreams);
    const faults = this.#options.wanted.flatMap(({ name }): ConfigFault[] => {
      if (known.includes(name)) return [];
      return [faultOf(name, { message: 'there is no such upstream', suggestion: nearestName(name, known) })];
    });
    if (faults.length > 0) throw new ConfigError(faults);
    this.#real = upstreams;
    this.#missing = this.#options.missing ? await missingUpstreams(upstreams) : new Set();
    const files = new Map(this.#options.wanted.map(({ name, file }) => [name, file]));
    const names = new Set([...files.keys(), ...this.#missing]);
    const next = await this.#started([...names].map((name) => ({ name, file: files.get(name) })));
    const before = [...this.#fakes.values()];
    this.#fakes.clear();
    for (const [name, fake] of next) this.#fakes.set(name, fake);
    await this.#retire(before);
  }

  /** The same configuration, with what stands in as the target of those that are faked. */
  adapt(source: GatewaySource): GatewaySource {
    if (this.#fakes.size === 0) return source;
    const upstreams = Object.entries(source.value.upstreams).map(([name, options]) => {
      const fake = this.#fakes.get(name);
      if (fake === undefined) return [name, options] as const;
      // It speaks in plain text, on one address that nobody has to look for, and is not asked how it is.
      const { discovery: _, tls: __, ...rest } = options;
      const labels = options.subset ?? options.targets[0]?.labels ?? {};
      const url = `${options.protocol}://${fake.authority}`;
      const health = { ...options.health, active: undefined };
      return [name, { ...rest, targets: [{ url, weight: 1, labels, priority: 0 }], health }] as const;
    });
    return { ...source, value: { ...source.value, upstreams: Object.fromEntries(upstreams) } };
  }

  /** Goes by a configuration that is in force now. */
  use(snapshot: Snapshot): void {
    for (const { source } of this.#fakes.values()) source.use?.(snapshot);
  }

  /** Whether others are missing by now than are stood in for. */
  async haveChanged(): Promise<boolean> {
    if (!this.#options.missing) return false;
    const missing = await missingUpstreams(this.#real);
    return missing.size !== this.#missing.size || [...missing].some((name) => !this.#missing.has(name));
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    await Promise.all([...this.#fakes.values()].map((fake) => fake.close()));
  }

  async #started(
    wanted: readonly { readonly name: string; readonly file: string | undefined }[],
  ): Promise<ReadonlyMap<string, FakeUpstream>> {
    const faults: ConfigFault[] = [];
    const started = new Map<string, FakeUpstream>();
    for (const { name, file } of wanted) {
      try {
        const source = await findSource(name, this.#real, file);
        started.set(name, await FakeUpstream.start(name, source, this.#options.say));
      } catch (error) {
        if (error instanceof ConfigError) faults.push(...error.faults);
        else if (!(error instanceof FakeFault)) throw error;
        else faults.push(faultOf(name, { message: error.message }));
      }
    }
    if (faults.length === 0) return started;
    await Promise.all([...started.values()].map((fake) => fake.close()));
    throw new ConfigError(faults);
  }

  // The configuration before asks them until the next one is in force.
  async #retire(fakes: readonly FakeUpstream[]): Promise<void> {
    setTimeout(() => void Promise.all(fakes.map((fake) => fake.close())), RETIRE_MS).unref();
  }
}

const RETIRE_MS = 2000;

function faultOf(name: string, fault: Pick<ConfigFault, 'message' | 'suggestion'>): ConfigFault {
  return { file: '--fake', key: name, ...fault };
}
