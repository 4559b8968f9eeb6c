import { isDeepStrictEqual } from 'node:util';
import { ConfigError, type ConfigFault } from '../config/config-fault.ts';
import { readConfig } from '../config/config-reader.ts';
import { readConfigInTurns } from '../config/yaml-in-turns.ts';
import { gatewaySchemaOf } from '../routing/gateway.schema.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { ReloadOutcome } from '../telemetry/config-metrics.ts';
import type { ReloadsDeps } from './reload-deps.ts';
import { restartFaults } from './restart-keys.ts';
import type { Snapshot } from './snapshot.ts';

class NeedsRestart extends ConfigError {}

/** Why a configuration is not put into force. */
export interface Refusal {
  readonly outcome: Extract<ReloadOutcome, 'faulty' | 'needs-restart'>;
  readonly faults: readonly ConfigFault[];
}

/** Makes what could take the place of the snapshot in force. */
export class Candidates {
  readonly #deps: Pick<ReloadsDeps, 'snapshots' | 'compiler' | 'actions' | 'logger' | 'adapt'>;
  #schema: ReturnType<typeof gatewaySchemaOf> | undefined = undefined;

  constructor(deps: Pick<ReloadsDeps, 'snapshots' | 'compiler' | 'actions' | 'logger' | 'adapt'>) {
    this.#deps = deps;
  }

  /** Reads a text as the file in force is read. @throws {ConfigError} with all faults of its form. */
  read(text: string): GatewaySource {
    const source = readConfig(this.#formOf(), text, this.#deps.snapshots.current.source.document.file);
    return this.#deps.adapt?.(source) ?? source;
  }

  #formOf(): ReturnType<typeof gatewaySchemaOf> {
    return (this.#schema ??= gatewaySchemaOf(this.#deps.actions.map(({ source }) => source)));
  }

  /** Whether a configuration says what the one in force does. */
  isSame({ value }: GatewaySource): boolean {
    return isDeepStrictEqual(this.#deps.snapshots.current.source.value, value);
  }

  /** A snapshot that may be put into force, and has to be discarded otherwise. @throws {ConfigError} with all that speaks against it. */
  compile(source: GatewaySource): Snapshot {
    const { snapshots, compiler } = this.#deps;
    const { current } = snapshots;
    const fixed = restartFaults(current.source, source);
    if (fixed.length > 0) throw new NeedsRestart(fixed);
    const next = compiler.next(source, current);
    try {
      const faults = snapshots.faultsOf(next);
      if (faults.length > 0) throw new ConfigError(faults);
    } catch (error) {
      next.discard();
      throw error;
    }
    return next;
  }

  /** One that is only looked at, and discarded: made between turns of the loop. @throws {ConfigError} with all faults. */
  async compared(text: string): Promise<Snapshot> {
    const { snapshots, compiler, adapt } = this.#deps;
    const { file } = snapshots.current.source.document;
    const source = await readConfigInTurns(this.#formOf(), text, file);
    const read = source === undefined ? this.read(text) : (adapt?.(source) ?? source);
    return compiler.compared(read, snapshots.current);
  }

  /** Why something thrown keeps a configuration from being put into force. */
  refusalOf(error: unknown): Refusal {
    const outcome = error instanceof NeedsRestart ? 'needs-restart' : 'faulty';
    if (error instanceof ConfigError) return { outcome, faults: error.faults };
    // What nobody foresaw is no fault of the file, and wants its stack.
    this.#deps.logger.error({ err: error }, 'unforeseen fault of a reload');
    const { file } = this.#deps.snapshots.current.source.document;
    const message = error instanceof Error ? error.message : String(error);
    return { outcome, faults: [{ file, key: '', message }] };
  }
}
