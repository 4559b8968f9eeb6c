import { isDeepStrictEqual } from 'node:util';
import type { AuditTrail } from '../audit/audit-trail.ts';
import { ConfigError, type ConfigFault } from '../config/config-fault.ts';
import { readConfig, readConfigFile } from '../config/config-reader.ts';
import { gatewaySchemaOf } from '../routing/gateway.schema.ts';
import type { ActionKind } from '../routing/route-action.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ReloadOutcome } from '../telemetry/config-metrics.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { namedCertificates } from './named-certificates.ts';
import { ConfigFileWatch, type WatchTimes } from './config-file-watch.ts';
import { namedFiles } from './named-files.ts';
import type { Snapshot } from './snapshot.ts';
import { DepartedNames, routeIds, upstreamNames } from './departed-names.ts';
import { restartFaults } from './restart-keys.ts';
import type { SnapshotCompiler } from './snapshot-compiler.ts';
import type { Snapshots } from './snapshots.ts';
import { logReload, noteReload, type Ended, type JointReload } from './reload-end.ts';
import { logWarnings } from './config-warnings.ts';

/** What became of an attempt to put another configuration into force. */
export interface Reload {
  /** What asked for it, such as `SIGHUP` or `file`. */
  readonly trigger: string;
  /** When it ended, in ms since the epoch. */
  readonly at: number;
  readonly outcome: ReloadOutcome;
  /** Everything that speaks against it; empty unless it was refused. */
  readonly faults: readonly ConfigFault[];
}

/** What reloads need of the rest of the gateway. */
export interface ReloadsDeps {
  readonly snapshots: Snapshots;
  readonly compiler: SnapshotCompiler;
  /** The kinds of routes of the file. */
  readonly actions: readonly ActionKind[];
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Takes note of each reload. Default: nobody does. */
  readonly audit?: AuditTrail | undefined;
}

/** Where clients connect, which other configurations change. */
export interface Ports {
  /** Opens what a configuration adds. @returns what speaks against it. */
  prepare(source: GatewaySource): Promise<readonly ConfigFault[]>;
  /** Goes by a configuration that is in force now. */
  use(snapshot: Snapshot): void;
  /** Closes what was opened for a configuration that is not put into force. */
  giveUp(): void;
}

/**
 * Puts another configuration into force while the gateway serves. One with a fault changes nothing, and neither does one
 * that needs a restart: the last good one stays in force, and everything that is wrong is told at once.
 */
export class Reloads {
  readonly #deps: ReloadsDeps;
  #schema: ReturnType<typeof gatewaySchemaOf> | undefined = undefined;
  readonly #departedRoutes = new DepartedNames(routeIds);
  readonly #departedUpstreams = new DepartedNames(upstreamNames);
  #loadedAt = Date.now();
  /** Of the text of the configuration that was in force before. */
  #digest: string;
  #last: Reload | undefined = undefined;
  #watch: ConfigFileWatch | undefined = undefined;
  #running: Promise<Reload> | undefined = undefined;
  #waiting: Promise<Reload> | undefined = undefined;
  #isClosed = false;
  readonly #fileWatches = new Map<string, ConfigFileWatch>();
  #watchTimes: WatchTimes | undefined = undefined;
  /** Opens and closes listeners; absent where nothing listens. */
  ports: Ports | undefined = undefined;

  constructor(deps: ReloadsDeps) {
    this.#deps = deps;
    this.#digest = deps.snapshots.current.source.document.digest;
    this.#show();
  }

  /** What became of the last attempt; undefined before the first. */
  get last(): Reload | undefined {
    return this.#last;
  }

  /** Since when the configuration is in force that is, in ms since the epoch. */
  get loadedAt(): number {
    return this.#loadedAt;
  }

  /** Reads the file again and puts it into force. Never rejects. One that is asked for meanwhile is made after it, once. */
  reload(trigger: string, joint?: JointReload): Promise<Reload> {
    if (this.#waiting !== undefined) return this.#waiting;
    if (this.#running === undefined) return this.#run(trigger, joint);
    return (this.#waiting = this.#running.then(() => {
      this.#waiting = undefined;
      return this.#run(trigger, joint);
    }));
  }

  /** Puts a configuration into force that was read already. Never throws. */
  apply(source: GatewaySource, trigger: string): Reload {
    try {
      const next = this.#compile(source, trigger);
      if (next !== undefined) this.#use(next);
      return this.#end({ trigger, asked: source, outcome: next === undefined ? 'unchanged' : 'reloaded' });
    } catch (error) {
      return this.#refused(error, { trigger, asked: source });
    }
  }

  /** Takes over every change of the file from now on. */
  watch(times?: WatchTimes): void {
    const { file } = this.#deps.snapshots.current.source.document;
    this.#watch ??= new ConfigFileWatch(file, () => void this.reload('file'), times);
    this.#watch.start();
    this.#watchTimes = times;
    this.#watchNamed();
  }

  /** Takes nothing over any more. */
  close(): void {
    this.#isClosed = true;
    this.#watch?.stop();
    for (const watch of this.#fileWatches.values()) watch.stop();
  }

  // Certificates are renewed without a change of the configuration that names them.
  #watchNamed(): void {
    if (this.#watch === undefined) return;
    const names = new Set(namedFiles(this.#deps.snapshots.current.source));
    for (const [name, watch] of this.#fileWatches) {
      if (names.has(name)) continue;
      watch.stop();
      this.#fileWatches.delete(name);
    }
    for (const name of names) {
      if (this.#fileWatches.has(name)) continue;
      const watch = new ConfigFileWatch(name, () => void this.reload('certificate'), this.#watchTimes);
      this.#fileWatches.set(name, watch);
      watch.start();
    }
  }

  #run(trigger: string, joint: JointReload | undefined): Promise<Reload> {
    this.#running = this.#read(trigger, joint).finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #read(trigger: string, joint: JointReload | undefined): Promise<Reload> {
    const { file } = this.#deps.snapshots.current.source.document;
    try {
      const schema = (this.#schema ??= gatewaySchemaOf(this.#deps.actions.map(({ source }) => source)));
      const source = joint ? readConfig(schema, joint.text, file) : await readConfigFile(schema, file);
      return await this.take(source, trigger, joint);
    } catch (error) {
      return this.#refused(error, { trigger, joint });
    }
  }

  /** Puts a configuration into force that was read already, with the listeners that it adds. Never rejects. */
  async take(source: GatewaySource, trigger: string, joint?: JointReload): Promise<Reload> {
    const faults = (await this.ports?.prepare(source)) ?? [];
    const reload =
      faults.length > 0
        ? this.#end({ trigger, asked: source, joint, outcome: 'faulty', faults })
        : joint === undefined
          ? this.apply(source, trigger)
          : await this.#applyJointly(source, trigger, joint);
    if (reload.outcome !== 'reloaded') this.ports?.giveUp();
    return reload;
  }

  async #applyJointly(source: GatewaySource, trigger: string, joint: JointReload): Promise<Reload> {
    try {
      const next = this.#compile(source, trigger);
      const faults = await joint.agree().catch((error: unknown) => {
        next?.discard();
        throw error;
      });
      if (faults.length > 0) {
        next?.discard();
        return this.#end({ trigger, asked: source, joint, outcome: 'faulty', faults });
      }
      if (next !== undefined) this.#use(next);
      return this.#end({
        trigger,
        asked: source,
        joint,
        outcome: next === undefined ? 'unchanged' : 'reloaded',
      });
    } catch (error) {
      return this.#refused(error, { trigger, asked: source, joint });
    }
  }

  /** @returns undefined where nothing has changed. */
  #compile(source: GatewaySource, trigger: string): Snapshot | undefined {
    const { snapshots, compiler } = this.#deps;
    const { current } = snapshots;
    // Asked for by name, it is made all the same: files that the configuration names may have changed.
    const isSame =
      this.#isClosed || (trigger === 'file' && isDeepStrictEqual(current.source.value, source.value));
    if (isSame) return undefined;
    const fixed = restartFaults(current.source, source);
    if (fixed.length > 0) throw new NeedsRestart(fixed);
    const next = compiler.next(source, current);
    try {
      refuse(snapshots.faultsOf(next));
    } catch (error) {
      next.discard();
      throw error;
    }
    return next;
  }

  #use(next: Snapshot): void {
    const { snapshots, logger, metrics } = this.#deps;
    const { current } = snapshots;
    snapshots.replace(next);
    this.ports?.use(next);
    this.#watchNamed();
    metrics.forgetRoutes(this.#departedRoutes.after(current, snapshots));
    metrics.forgetUpstreams(this.#departedUpstreams.after(current, snapshots));
    this.#loadedAt = Date.now();
    logWarnings(next, logger);
  }

  #refused(error: unknown, ended: Omit<Ended, 'outcome' | 'faults'>): Reload {
    const { file } = this.#deps.snapshots.current.source.document;
    const outcome = error instanceof NeedsRestart ? 'needs-restart' : 'faulty';
    return this.#end({ ...ended, outcome, faults: this.#faultsOf(error, file) });
  }

  #faultsOf(error: unknown, file: string): readonly ConfigFault[] {
    if (error instanceof ConfigError) return error.faults;
    // What nobody foresaw is no fault of the file, and wants its stack.
    this.#deps.logger.error({ err: error }, 'unforeseen fault of a reload');
    return [{ file, key: '', message: error instanceof Error ? error.message : String(error) }];
  }

  #show(): void {
    const { metrics, snapshots } = this.#deps;
    const { source } = snapshots.current;
    metrics.config.loaded(this.#loadedAt, source.document.digest);
    metrics.config.certificates(namedCertificates(source));
  }

  #end(ended: Ended): Reload {
    const { metrics, snapshots, audit } = this.#deps;
    const { document } = snapshots.current.source;
    const from = this.#digest;
    this.#digest = document.digest;
    noteReload(audit, { file: document.file, from }, ended);
    metrics.config.reloadEnded(ended.outcome);
    this.#show();
    logReload(this.#deps.logger, snapshots.current, ended);
    const { trigger, outcome, faults = [] } = ended;
    return (this.#last = { trigger, at: Date.now(), outcome, faults });
  }
}

class NeedsRestart extends ConfigError {}

function refuse(faults: readonly ConfigFault[]): void {
  if (faults.length > 0) throw new ConfigError(faults);
}
