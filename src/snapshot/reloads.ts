import { writtenDigest } from '../config/config-bundle.ts';
import { readConfigText } from '../config/included-files.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { Additions, Again } from './additions.ts';
import { Candidates, type Checked } from './candidates.ts';
import type { ConfigPlace } from './config-desk.ts';
import type { WatchTimes } from './config-file-watch.ts';
import { ConfigHistory } from './config-history.ts';
import { ConfigReadings } from './config-readings.ts';
import { ConfigStanding, type Difference } from './config-standing.ts';
import { summaryOf } from './config-summary.ts';
import { logWarnings } from './config-warnings.ts';
import { DepartedNames, routeIds, upstreamNames } from './departed-names.ts';
import { namedCertificates } from './named-certificates.ts';
import { namedFiles } from './named-files.ts';
import type { EarlierConfig, Ports, Reload, ReloadNow, ReloadsDeps, WantedReload } from './reload-deps.ts';
import { leftOutOf, logLeftOut } from './left-out.ts';
import { logReload, noteReload, reloadOf, reloadText, type Ended, type JointReload } from './reload-end.ts';
import { ReloadTurns, sharedBy } from './reload-turns.ts';
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
  readonly #turns = new ReloadTurns();
  readonly #checks = new ReloadTurns();
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
    return this.place.generation;
  }

  /** Why what is in force is not what the file says; undefined where it is. */
  get difference(): Difference | undefined {
    return this.place.difference;
  }

  /** Both. */
  get place(): ConfigPlace {
    if (this.#place !== undefined) return this.#place;
    return { generation: this.history.generation, difference: this.#standing.difference };
  }

  /** Hears which one is in force in all processes of a gateway, where there are several. */
  placed(place: ConfigPlace): void {
    this.#place = place;
    this.#show();
  }

  /** Whether the gateway ends, and takes no other configuration any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Reads the file again and puts it into force, once those before it have ended. Never rejects. Whoever wants the same before it
   * begins has it with them.
   *
   * @param by who wants it, where that is not the trigger.
   */
  reload(trigger: string, joint?: JointReload, by?: string): Promise<Reload> {
    const { text = '', generation } = joint ?? {};
    const earlier = generation === undefined ? undefined : { text, generation };
    const act = (): Promise<Reload> => this.#read({ trigger, joint, by, earlier });
    return joint === undefined ? this.#turns.share(sharedBy(trigger, by), act) : this.#turns.take(act);
  }

  /** Has something done once all reloads before it have ended, and none meanwhile. @param act is given what reloads. */
  inTurn<Result>(act: (reload: ReloadNow) => Promise<Result>): Promise<Result> {
    return this.#turns.take(() => act((wanted) => this.#read(wanted)));
  }

  /** What would become of the file, which is not put into force. One at a time, and one for all who wait: each is a whole configuration. Never rejects. */
  check(): Promise<Checked> {
    const { file } = this.#deps.snapshots.current.source.document;
    const added = (text: string): string =>
      this.additions.withAdded(text, { trigger: 'check' }, this.#standing);
    return this.#checks.share('check', () => this.#candidates.check(readConfigText(file).then(added)));
  }

  /**
   * Compiles a configuration to compare it, between turns of the event loop; whoever asks for it discards it.
   *
   * @throws {ConfigError} with all faults.
   */
  compared(text: string): Promise<Snapshot> {
    return this.#candidates.compared(text);
  }

  /** Puts a configuration into force that was read already, with the listeners that it adds. Never rejects. */
  take(source: GatewaySource, trigger: string): Promise<Reload> {
    return this.#turns.take(() => this.#take(source, { trigger, text: source.document.text }));
  }

  /** Takes over every change of the file from now on. */
  watch(times?: WatchTimes): void {
    const { source } = this.#deps.snapshots.current;
    this.#watched.start(namedFiles(source), source.document.readAtMs, { times, text: source.document.text });
  }

  /** Takes nothing over any more. */
  close(): void {
    this.#isClosed = true;
    this.#watched.stop();
  }

  async #read(asked: WantedReload): Promise<Reload> {
    let wanted = asked;
    try {
      const { document } = this.#deps.snapshots.current.source;
      const kept = this.#standing.keepsText(asked.trigger) ? document.text : undefined;
      const known = asked.trigger === 'cluster' ? this.additions.fileText : undefined;
      const given = asked.joint?.text ?? asked.earlier?.text ?? kept ?? known;
      const names = namedFiles(this.#deps.snapshots.current.source);
      const reading = await this.#readings.read(asked.trigger, { file: document.file, names, given });
      // Read before, for whoever has asked by name: the watch finds the same change a moment later.
      if (reading.isKnown && asked.joint === undefined && this.#last !== undefined) return this.#last;
      const read = reading.text();
      const text = this.additions.withAdded(read, asked, this.#standing);
      // What is added may be something else once there are faults.
      const mark = this.additions.source?.mark;
      wanted = { ...asked, text, ...(text !== read && { fileText: read, mark }) };
      // The file says what it did when an earlier configuration was taken back: that one stays.
      if (asked.joint === undefined && this.#standing.isOld(asked.trigger, writtenDigest(text)))
        return this.#told({ ...wanted, outcome: 'unchanged' });
      const source = await this.#candidates.read(text);
      await this.#readings.willRead(namedFiles(source));
      const ended = await this.#take(source, wanted);
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

  async #take(source: GatewaySource, wanted: WantedReload): Promise<Reload> {
    const faults = (await this.ports?.prepare(source)) ?? [];
    const reload =
      faults.length > 0
        ? this.#end({ ...wanted, outcome: 'faulty', faults })
        : await this.#apply(source, wanted);
    if (reload.outcome !== 'reloaded') this.ports?.giveUp();
    return reload;
  }

  async #apply(source: GatewaySource, wanted: WantedReload): Promise<Reload> {
    try {
      const next = await this.#compile(source, wanted.trigger);
      const faults = await this.#agreed(next, wanted.joint);
      if (faults.length === 0) return this.#used(next, wanted);
      next?.discard();
      return this.#end({ ...wanted, outcome: 'faulty', faults });
    } catch (error) {
      return this.#refused(error, wanted);
    }
  }

  // What the other processes have against it, where there are any.
  async #agreed(next: Snapshot | undefined, joint: JointReload | undefined): Promise<Reload['faults']> {
    try {
      return (await joint?.agree()) ?? [];
    } catch (error) {
      next?.discard();
      throw error;
    }
  }

  #refused(error: unknown, wanted: WantedReload): Reload {
    const refusal = this.#candidates.refusalOf(error);
    if (this.additions.areLess(wanted, refusal.faults)) throw new Again();
    return this.#end({ ...wanted, ...refusal });
  }

  /** @returns undefined where nothing has changed. */
  async #compile(source: GatewaySource, trigger: string): Promise<Snapshot | undefined> {
    // Asked for by name, it is made all the same: files that the configuration names may have changed.
    const isSame = this.#isClosed || (trigger === 'file' && this.#candidates.isSame(source));
    if (isSame) return undefined;
    this.#readings.namedAreRead();
    return this.#candidates.compile(source);
  }

  #used(next: Snapshot | undefined, wanted: WantedReload): Reload {
    if (next !== undefined && this.#isClosed) next.discard();
    if (next === undefined || this.#isClosed) return this.#end({ ...wanted, outcome: 'unchanged' });
    const { value } = this.#deps.snapshots.current.source;
    this.#use(next);
    const { source } = next;
    const inForce = source.document.text;
    const summary = summaryOf(value, source.value);
    return this.#end({ ...wanted, outcome: 'reloaded', summary, inForce, ...leftOutOf(source) });
  }

  #use(next: Snapshot): void {
    const { snapshots, logger, metrics } = this.#deps;
    const { current } = snapshots;
    snapshots.replace(next);
    this.ports?.use(next);
    this.#watched.use(namedFiles(next.source), next.source.document.readAtMs, next.source.document.text);
    metrics.forgetRoutes(this.#departedRoutes.after(current, snapshots));
    metrics.forgetUpstreams(this.#departedUpstreams.after(current, snapshots));
    this.#loadedAt = Date.now();
    logWarnings(next, logger);
    logLeftOut(next.source, logger);
  }

  #show(): void {
    const { metrics, snapshots } = this.#deps;
    const { source } = snapshots.current;
    metrics.config.loaded(this.#loadedAt, source.document.digest);
    metrics.config.certificates(namedCertificates(source));
    metrics.config.leftOut(source.teams?.leftOut ?? []);
    metrics.config.standing(this.generation, this.difference !== undefined);
  }

  #end(ended: Ended): Reload {
    const { trigger, outcome, text, joint } = ended;
    // Of several processes the one that has started them keeps what all of them were given.
    if (joint === undefined) {
      this.history.add({ ...ended, text: ended.inForce ?? text, of: ended.earlier?.generation });
      this.#standing.ended(trigger, outcome, text === undefined ? undefined : writtenDigest(text));
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
    const { trigger, joint } = ended;
    const kind = trigger === 'certificate' ? 'certificate' : 'reload';
    const isNews = joint?.isEcho !== true && trigger !== 'catch up';
    if (isNews) metrics.changes.note({ kind, text: reloadText(ended) });
    return (this.#last = { ...reloadOf(ended), place: this.place });
  }
}
