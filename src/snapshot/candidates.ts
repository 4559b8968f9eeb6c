import { isDeepStrictEqual } from 'node:util';
import { ConfigError, type ConfigFault } from '../config/config-fault.ts';
import { leftoverOf } from '../routing/faults-at-once.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { configFormOf, readGatewayInTurns, type ConfigForm } from '../routing/teams/read-gateway.ts';
import type { ReloadOutcome } from '../telemetry/config-metrics.ts';
import { summaryOf } from './config-summary.ts';
import { leftOutOf } from './left-out.ts';
import type { Reload, ReloadsDeps } from './reload-deps.ts';
import { restartFaults } from './restart-keys.ts';
import type { Snapshot } from './snapshot.ts';

class NeedsRestart extends ConfigError {}

/** Why a configuration is not put into force. */
export interface Refusal {
  readonly outcome: Extract<ReloadOutcome, 'faulty' | 'needs-restart'>;
  readonly faults: readonly ConfigFault[];
}

/** What would become of a configuration. */
export type Checked = Pick<Reload, 'outcome' | 'faults' | 'summary' | 'leftOut'>;

/** Makes what could take the place of the snapshot in force. */
export class Candidates {
  readonly #deps: Pick<ReloadsDeps, 'snapshots' | 'compiler' | 'actions' | 'logger' | 'adapt'>;
  #form: ConfigForm | undefined = undefined;

  constructor(deps: Pick<ReloadsDeps, 'snapshots' | 'compiler' | 'actions' | 'logger' | 'adapt'>) {
    this.#deps = deps;
  }

  /**
   * Reads a text as the file in force is read, between turns of the loop.
   *
   * @throws {ConfigError} with all faults of its form, and what else can be told.
   */
  async read(text: string): Promise<GatewaySource> {
    const { document, teams } = this.#deps.snapshots.current.source;
    // What a team's file said last is good as long as it holds.
    const reading = { leavesOut: true, good: teams?.good };
    try {
      return this.#adapted(await readGatewayInTurns(this.#formOf(), text, document.file, reading));
    } catch (error) {
      throw await this.#withMeaning(error);
    }
  }

  // Those of its form, and those that can be told of what is left without them.
  async #withMeaning(error: unknown): Promise<unknown> {
    const leftover = leftoverOf<GatewaySource>(error);
    if (leftover === undefined) return error;
    const { snapshots, compiler } = this.#deps;
    const source = this.#adapted(leftover.left);
    // What is fixed at boot does not wait for the routes.
    const fixed = snapshots.sourceFaultsOf(source);
    try {
      (await compiler.next(source, snapshots.current)).discard();
      return leftover.refusal(new ConfigError(fixed));
    } catch (refused) {
      const faults = refused instanceof ConfigError ? refused.faults : [];
      return leftover.refusal(new ConfigError([...faults, ...fixed]));
    }
  }

  #adapted(source: GatewaySource): GatewaySource {
    return this.#deps.adapt?.(source) ?? source;
  }

  #formOf(): ConfigForm {
    return (this.#form ??= configFormOf(this.#deps.actions.map(({ source }) => source)));
  }

  /** What would become of a text, which is not put into force. Never rejects. */
  async check(text: Promise<string>): Promise<Checked> {
    try {
      const source = await this.read(await text);
      // What is in force by then: reloads do not wait.
      const { value } = this.#deps.snapshots.current.source;
      if (this.isSame(source)) return { outcome: 'unchanged', faults: [] };
      const next = await this.compile(source);
      next.discard();
      const summary = summaryOf(value, next.source.value);
      return { outcome: 'reloaded', faults: [], summary, ...leftOutOf(next.source) };
    } catch (error) {
      return this.refusalOf(error);
    }
  }

  /** Whether a configuration says what the one in force does. */
  isSame({ value, teams }: GatewaySource): boolean {
    const { source } = this.#deps.snapshots.current;
    if (!isDeepStrictEqual(source.teams?.leftOut, teams?.leftOut)) return false;
    return (
      isDeepStrictEqual(source.value, value) && isDeepStrictEqual(source.teams?.ofRoutes, teams?.ofRoutes)
    );
  }

  /**
   * A snapshot that may be put into force, and has to be discarded otherwise: of the configuration, or of what is left of it
   * without files that have faults, where it says that these may be left out. Made between turns of the loop.
   *
   * @throws {ConfigError} with all that speaks against it.
   */
  async compile(source: GatewaySource): Promise<Snapshot> {
    for (let left = source; ;) {
      try {
        return await this.#compile(left);
      } catch (error) {
        if (error instanceof NeedsRestart) throw error;
        left = this.#without(left, error);
      }
    }
  }

  async #compile(source: GatewaySource): Promise<Snapshot> {
    const { snapshots, compiler } = this.#deps;
    const { current } = snapshots;
    const fixed = restartFaults(current.source, source);
    if (fixed.length > 0) throw new NeedsRestart(fixed);
    const next = await compiler.next(source, current);
    try {
      const faults = snapshots.faultsOf(next);
      if (faults.length > 0) throw new ConfigError(faults);
    } catch (error) {
      next.discard();
      throw error;
    }
    return next;
  }

  /** One that is only looked at, and discarded. @throws {ConfigError} with all faults. */
  async compared(text: string): Promise<Snapshot> {
    const { snapshots, compiler } = this.#deps;
    for (let source = await this.read(text); ;) {
      try {
        return await compiler.next(source, snapshots.current);
      } catch (error) {
        source = this.#without(source, error);
      }
    }
  }

  /** What is left without files that are at fault. @throws the error, where nothing may be left out for it. */
  #without({ teams }: GatewaySource, error: unknown): GatewaySource {
    const left = error instanceof ConfigError ? teams?.without(error.faults) : undefined;
    if (left === undefined) throw error;
    return this.#adapted(left);
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
