import { hash } from 'node:crypto';
import { readText } from '../config/config-reader.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { Additions, Again } from './additions.ts';
import { Candidates } from './candidates.ts';
import type { ConfigPlace } from './config-desk.ts';
import type { WatchTimes } from './config-file-watch.ts';
import { ConfigHistory } from './config-history.ts';
import { ConfigReadings, givenText, type ConfigReading } from './config-readings.ts';
import { ConfigStanding, type Difference } from './config-standing.ts';
import { summaryOf } from './config-summary.ts';
import { logWarnings } from './config-warnings.ts';
import { DepartedNames, routeIds, upstreamNames } from './departed-names.ts';
import { namedCertificates } from './named-certificates.ts';
import { namedFiles } from './named-files.ts';
import type { EarlierConfig, Ports, Reload, ReloadsDeps, WantedReload } from './reload-deps.ts';
import { logReload, noteReload, reloadText, type Ended, type JointReload } from './reload-end.ts';
import type { Snapshot } from './snapshot.ts';
import { WatchedFiles } from './watched-files.ts';

export type { EarlierConfig, Ports, Reload, ReloadsDeps };

/**
 * Puts another configuration into force while the gateway serves. One with a fault changes nothing, and neither does one
 * that needs a restart: the last good one stays in force, and everything that is wrong is told at once.
 */
export class Reloads {
  readonly #deps: ReloadsDeps;
  readonly #candidates: Candidates;
  readonly #departedRoutes = new DepartedNames(routeIds);
  readonly #departedUpstreams = new DepartedNames(upstreamNames);
  readonly #watched: WatchedFiles;
  readonly #standing: ConfigStanding;
  readonly #readings = new ConfigReadings();
  /** The last configurations; of one of several processes only the one that it began with. */
  readonly history = new ConfigHistory();
  #loadedAt = Date.now();
  /** Of the text of the configuration that was in force before. */
  #digest: string;
  #last: Reload | undefined = undefined;
  #running: Promise<Reload> | undefined = undefined;
  #waiting: Promise<Reload> | undefined = undefined;
  #isClosed = false;
  #place: ConfigPlace | undefined = undefined;
  /** What another source adds to the file. */
  readonly additions: Additions;
  /** Opens and closes listeners; absent where nothing listens. */
  ports: Ports | undefined = undefined;

  constructor(deps: ReloadsDeps) {
    this.#deps = deps;
    this.#candidates = new Candidates(deps);
    const { document } = deps.snapshots.current.source;
    this.#digest = document.digest;
    this.additions = new Additions(document.text);
    this.#watched = new WatchedFiles(document.file, (trigger) => void this.reload(trigger));
    this.#standing = new ConfigStanding(document.digest);
    this.history.add({ text: document.text, trigger: 'start', outcome: 'reloaded' }, this.#loadedAt);
    this.#show();
    const routes = deps.snapshots.current.table.routes.length;
    deps.metrics.changes.note({ kind: 'start', text: `started with ${routes} routes` });
  }

  /** What became of the last attempt; undefined before the first. */
  get last(): Reload | undefined {
    return this.#last;
  }

  /** Since when the configuration is in force that is, in ms since the epoch. */
  get loadedAt(): number {
    return this.#loadedAt;
  }

  /** The number of the configuration in force; see {@link ConfigHistory}. */
  get generation(): number {
    return this.#place?.generation ?? this.history.generation;
  }

  /** Why what is in force is not what the file says; undefined where it is. */
  get difference(): Difference | undefined {
    return this.#place === undefined ? this.#standing.difference : this.#place.difference;
  }

  /** Hears which one is in force in all processes of a gateway, where there are several. */
  placed(place: ConfigPlace): void {
    this.#place = place;
    this.#show();
  }

  /**
   * Reads the file again and puts it into force. Never rejects. One that is asked for meanwhile is made after it, once.
   *
   * @param by who wants it, where that is not the trigger.
   */
  reload(trigger: string, joint?: JointReload, by?: string): Promise<Reload> {
    if (this.#waiting !== undefined) return this.#waiting;
    const { text = '', generation } = joint ?? {};
    const earlier = generation === undefined ? undefined : { text, generation };
    const wanted = { trigger, joint, by, earlier };
    if (this.#running === undefined) return this.#run(wanted);
    return (this.#waiting = this.#inTurn(wanted, () => (this.#waiting = undefined)));
  }

  /**
   * Puts the file, or an earlier configuration, into force once those before it have ended. Never rejects.
   *
   * @returns undefined, and nothing was done, where none of `only` is in force by then.
   */
  async inTurnAt(
    only: readonly number[] | undefined,
    wanted: Pick<WantedReload, 'trigger' | 'earlier' | 'by'>,
  ): Promise<Reload | undefined> {
    while (this.#running !== undefined) await this.#running;
    return only === undefined || only.includes(this.generation) ? this.#run(wanted) : undefined;
  }

  /** What would become of the file, which is not put into force. Never rejects. */
  async check(): Promise<Pick<Reload, 'outcome' | 'faults' | 'summary'>> {
    const { value, document } = this.#deps.snapshots.current.source;
    try {
      const source = this.#candidates.read(await readText(document.file));
      if (this.#candidates.isSame(source)) return { outcome: 'unchanged', faults: [] };
      this.#candidates.compile(source).discard();
      return { outcome: 'reloaded', faults: [], summary: summaryOf(value, source.value) };
    } catch (error) {
      return this.#candidates.refusalOf(error);
    }
  }

  /** Compiles a configuration to compare it; whoever asks for it discards it. @throws {ConfigError} with all faults. */
  compared(text: string): Snapshot {
    return this.#candidates.compared(text);
  }

  /** Puts a configuration into force that was read already. Never throws. */
  apply(source: GatewaySource, trigger: string): Reload {
    return this.#apply(source, { trigger, text: source.document.text });
  }

  /** Puts a configuration into force that was read already, with the listeners that it adds. Never rejects. */
  take(source: GatewaySource, trigger: string): Promise<Reload> {
    return this.#take(source, { trigger, text: source.document.text });
  }

  /** Takes over every change of the file from now on. */
  watch(times?: WatchTimes): void {
    const { source } = this.#deps.snapshots.current;
    this.#watched.start(namedFiles(source), source.document.readAtMs, times);
  }

  /** Takes nothing over any more. */
  close(): void {
    this.#isClosed = true;
    this.#watched.stop();
  }

  async #inTurn(wanted: WantedReload, begin?: () => void): Promise<Reload> {
    while (this.#running !== undefined) await this.#running;
    begin?.();
    return this.#run(wanted);
  }

  #run(wanted: WantedReload): Promise<Reload> {
    this.#running = this.#read(wanted).finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #read(asked: WantedReload): Promise<Reload> {
    let wanted = asked;
    try {
      const reading = await this.#readingOf(asked);
      // Read before, for whoever has asked by name: the watch finds the same change a moment later.
      if (asked.trigger === 'file' && reading.isKnown && this.#last !== undefined) return this.#last;
      const read = reading.text();
      const text = this.additions.withAdded(read, asked, this.#standing);
      wanted = { ...asked, text, ...(text !== read && { fileText: read }) };
      // The file says what it did when an earlier configuration was taken back: that one stays.
      if (asked.joint === undefined && this.#standing.isOld(asked.trigger, hash('sha256', text, 'hex')))
        return this.#told({ ...wanted, outcome: 'unchanged' });
      const ended = await this.#take(this.#candidates.read(text), wanted);
      this.additions.ended(read, asked, ended);
      return ended;
    } catch (error) {
      if (error instanceof Again) return this.#read(asked);
      const refusal = this.#candidates.refusalOf(error);
      return this.additions.areLess(wanted, refusal.faults)
        ? this.#read(asked)
        : this.#end({ ...wanted, ...refusal });
    }
  }

  async #readingOf({ trigger, joint, earlier }: WantedReload): Promise<ConfigReading> {
    const { file, text } = this.#deps.snapshots.current.source.document;
    const kept = this.#standing.keepsText(trigger) ? text : undefined;
    const known = trigger === 'cluster' ? this.additions.fileText : undefined;
    const given = joint?.text ?? earlier?.text ?? kept ?? known;
    return given === undefined ? this.#readings.read(file) : givenText(given);
  }

  async #take(source: GatewaySource, wanted: WantedReload): Promise<Reload> {
    const faults = (await this.ports?.prepare(source)) ?? [];
    const reload =
      faults.length > 0
        ? this.#end({ ...wanted, outcome: 'faulty', faults })
        : wanted.joint === undefined
          ? this.#apply(source, wanted)
          : await this.#applyJointly(source, wanted, wanted.joint);
    if (reload.outcome !== 'reloaded') this.ports?.giveUp();
    return reload;
  }

  #apply(source: GatewaySource, wanted: WantedReload): Reload {
    try {
      return this.#used(this.#compile(source, wanted.trigger), wanted);
    } catch (error) {
      return this.#refused(error, wanted);
    }
  }

  #refused(error: unknown, wanted: WantedReload): Reload {
    const refusal = this.#candidates.refusalOf(error);
    if (this.additions.areLess(wanted, refusal.faults)) throw new Again();
    return this.#end({ ...wanted, ...refusal });
  }

  async #applyJointly(source: GatewaySource, wanted: WantedReload, joint: JointReload): Promise<Reload> {
    try {
      const next = this.#compile(source, wanted.trigger);
      const faults = await joint.agree().catch((error: unknown) => {
        next?.discard();
        throw error;
      });
      if (faults.length === 0) return this.#used(next, wanted);
      next?.discard();
      return this.#end({ ...wanted, outcome: 'faulty', faults });
    } catch (error) {
      return this.#refused(error, wanted);
    }
  }

  /** @returns undefined where nothing has changed. */
  #compile(source: GatewaySource, trigger: string): Snapshot | undefined {
    // Asked for by name, it is made all the same: files that the configuration names may have changed.
    const isSame = this.#isClosed || (trigger === 'file' && this.#candidates.isSame(source));
    return isSame ? undefined : this.#candidates.compile(source);
  }

  #used(next: Snapshot | undefined, wanted: WantedReload): Reload {
    if (next === undefined) return this.#end({ ...wanted, outcome: 'unchanged' });
    const { value } = this.#deps.snapshots.current.source;
    this.#use(next);
    return this.#end({ ...wanted, outcome: 'reloaded', summary: summaryOf(value, next.source.value) });
  }

  #use(next: Snapshot): void {
    const { snapshots, logger, metrics } = this.#deps;
    const { current } = snapshots;
    snapshots.replace(next);
    this.ports?.use(next);
    this.#watched.use(namedFiles(next.source), next.source.document.readAtMs);
    metrics.forgetRoutes(this.#departedRoutes.after(current, snapshots));
    metrics.forgetUpstreams(this.#departedUpstreams.after(current, snapshots));
    this.#loadedAt = Date.now();
    logWarnings(next, logger);
  }

  #show(): void {
    const { metrics, snapshots } = this.#deps;
    const { source } = snapshots.current;
    metrics.config.loaded(this.#loadedAt, source.document.digest);
    metrics.config.certificates(namedCertificates(source));
    metrics.config.standing(this.generation, this.difference !== undefined);
  }

  #end(ended: Ended): Reload {
    const { trigger, outcome, text, joint } = ended;
    // Of several processes the one that has started them keeps what all of them were given.
    if (joint === undefined) {
      this.history.add({ ...ended, of: ended.earlier?.generation });
      this.#standing.ended(trigger, outcome, text === undefined ? undefined : hash('sha256', text, 'hex'));
    }
    return this.#told(ended);
  }

  #told(ended: Ended): Reload {
    const { metrics, snapshots, audit } = this.#deps;
    const { document } = snapshots.current.source;
    const from = this.#digest;
    this.#digest = document.digest;
    noteReload(audit, { file: document.file, from }, ended);
    metrics.config.reloadEnded(ended.outcome);
    this.#show();
    logReload(this.#deps.logger, snapshots.current, ended);
    const { trigger, outcome, faults = [], summary, joint } = ended;
    const kind = trigger === 'certificate' ? 'certificate' : 'reload';
    const isNews = joint?.isEcho !== true && trigger !== 'catch up';
    if (isNews) metrics.changes.note({ kind, text: reloadText(ended) });
    return (this.#last = { trigger, at: Date.now(), outcome, faults, ...(summary && { summary }) });
  }
}
