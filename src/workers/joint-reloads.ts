import { writtenDigest } from '../config/config-bundle.ts';
import { ConfigError, type ConfigFault } from '../config/config-fault.ts';
import { readConfigText } from '../config/included-files.ts';
import {
  isMeant,
  rollbackRefusal,
  type ConfigPlace,
  type NotTaken,
  type OnlyAt,
  type RollbackRefusal,
} from '../snapshot/config-desk.ts';
import { ConfigHistory } from '../snapshot/config-history.ts';
import { ConfigReadings, type ConfigReading } from '../snapshot/config-readings.ts';
import { ConfigStanding } from '../snapshot/config-standing.ts';
import type { EarlierConfig, Reload } from '../snapshot/reload-deps.ts';
import { ReloadTurns, sharedBy } from '../snapshot/reload-turns.ts';
import { WatchedFiles } from '../snapshot/watched-files.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ReloadOutcome } from '../telemetry/config-metrics.ts';
import type { Questions } from './messages.ts';
import type { Member } from './member.ts';
import { ReloadRound } from './reload-round.ts';

type Answer = Questions['reload'][1];

/** What reloads need of the primary. */
export interface JointReloadsDeps {
  readonly file: string;
  readonly logger: Logger;
  /** Those that have to agree. */
  members(): readonly Member[];
  ended(outcome: ReloadOutcome): void;
}

/** What is asked of all workers. */
interface Asked {
  readonly trigger: string;
  readonly by?: string | undefined;
  readonly earlier?: EarlierConfig | undefined;
}

/** Puts configurations into force in all workers, or in none. They all read the text that the primary has read. */
export class JointReloads {
  readonly #deps: JointReloadsDeps;
  readonly #watched: WatchedFiles;
  /** The last configurations that the gateway was given. */
  readonly history = new ConfigHistory();
  #standing = new ConfigStanding('');
  readonly #readings = new ConfigReadings();
  #last: Reload | undefined = undefined;
  /** Which configuration each worker has, by when it came into force. */
  readonly #editions = new WeakMap<Member, number>();
  #text = '';
  #readAtMs = Date.now();
  #edition = 0;
  #rounds = 0;
  #round: ReloadRound | undefined = undefined;
  readonly #turns = new ReloadTurns();
  /** Files that the configuration in force names. */
  #names: readonly string[] = [];
  /** Why the file is to be read again once there is a worker to take it. */
  #due: string | undefined = undefined;

  constructor(deps: JointReloadsDeps) {
    this.#deps = deps;
    this.#watched = new WatchedFiles(deps.file, (trigger) => void this.reload(trigger));
  }

  /** The configuration that a worker begins with: the one in force. */
  begin(member: Member): string {
    this.#editions.set(member, this.#edition);
    return this.#text;
  }

  /** Which configuration is in force. */
  get place(): ConfigPlace {
    return { generation: this.history.generation, difference: this.#standing.difference };
  }

  /** Reads the file for the first time. @throws {ConfigError} when it cannot be read. */
  async read(): Promise<void> {
    this.#readAtMs = Date.now();
    this.#text = await readConfigText(this.#deps.file);
    this.#standing = new ConfigStanding(digestOf(this.#text));
    this.history.add({ text: this.#text, trigger: 'start', outcome: 'reloaded' });
  }

  /** Takes over every change of the file, and of files that it names, from now on. */
  watch(files: readonly string[]): void {
    this.#names = files;
    this.#watched.start(files, this.#readAtMs, { text: this.#text });
  }

  /** Takes nothing over any more. */
  close(): void {
    this.#watched.stop();
  }

  /**
   * Reads the file again and puts it into force, once those before it have ended; whoever wants the same before it begins has it
   * with them. Resolves with how it has ended.
   */
  reload(trigger: string, by?: string): Promise<Reload | 'nobody'> {
    return this.#turns.share(sharedBy(trigger, by), () => this.#reload({ trigger, by }));
  }

  /** The same in its turn, unless none of those generations is in force then. */
  reloadAt(by: string, only: OnlyAt): Promise<Reload | NotTaken> {
    if (only === undefined) return this.reload('order', by);
    return this.#turns.take(async () =>
      isMeant(only, this.place.generation) ? this.#reload({ trigger: 'order', by }) : 'moved',
    );
  }

  /** Puts an earlier configuration into force again, in all workers or in none. */
  rollback(generation: number, by: string, only?: OnlyAt): Promise<Reload | RollbackRefusal | NotTaken> {
    return this.#turns.take(async () => {
      if (!isMeant(only, this.place.generation)) return 'moved';
      const refusal = rollbackRefusal(this.history.list(), generation);
      if (refusal !== undefined) return refusal;
      const text = await this.history.text(generation);
      if (text === undefined) return 'forgotten';
      return this.#reload({ trigger: 'rollback', by, earlier: { text, generation } });
    });
  }

  /** A worker would take what it was sent. @returns what speaks against it elsewhere. */
  agree(member: Member, round: number): Promise<readonly ConfigFault[]> {
    if (this.#round?.id === round) return this.#round.agree(member);
    return Promise.resolve([{ file: this.#deps.file, key: '', message: 'nobody waits for it any more' }]);
  }

  /** Brings a worker that listens only now up to date with what came into force since it began. */
  catchUp(member: Member): void {
    // In its turn: one on its way into force may have begun before this worker had a say.
    void this.#turns.take(() => this.#bringUp(member));
    if (this.#due !== undefined) void this.reload(this.#due);
    this.#due = undefined;
  }

  async #bringUp(member: Member): Promise<void> {
    if (this.#editions.get(member) === this.#edition || member.state === 'ended') return;
    const answers = await this.#ask([member], this.#text, { trigger: 'catch up' });
    this.#settle(answers);
  }

  async #reload(asked: Asked): Promise<Reload | 'nobody'> {
    const { trigger } = asked;
    const { logger } = this.#deps;
    const members = this.#deps.members();
    if (members.length === 0) {
      // What somebody has ordered is told to be undone, and not done later on.
      const isOrder = trigger === 'rollback' || trigger === 'order';
      if (!isOrder) this.#due = trigger;
      const later = isOrder ? 'the order comes to nothing' : 'one that comes will';
      logger.warn({ trigger }, `no worker is there to read the configuration: ${later}`);
      return 'nobody';
    }
    const readAtMs = Date.now();
    const reading = await this.#readingOf(asked);
    // Read before, for whoever has asked by name: the watch finds the same change a moment later.
    if (reading.isKnown && this.#last !== undefined) return this.#last;
    const text = this.#readable(asked, reading);
    if (typeof text !== 'string') return text;
    if (this.#standing.isOld(trigger, digestOf(text)))
      return this.#end(asked, { trigger, at: Date.now(), outcome: 'unchanged', faults: [] });
    await this.#readings.willRead(this.#names);
    const answers = await this.#ask(members, text, asked);
    const given = answers.flatMap(([, answer]) => answer ?? []);
    const outcome = outcomeOf(given.map(({ reload }) => reload.outcome));
    if (outcome !== 'unchanged') this.#readings.namedAreRead();
    if (outcome === 'reloaded') {
      // Where something was left out of it, whoever comes later leaves out the same.
      this.#text = given.find(({ inForce }) => inForce !== undefined)?.inForce ?? text;
      this.#edition += 1;
      this.#settle(answers);
    }
    const last = given.at(-1);
    if (last !== undefined) this.#watched.use((this.#names = last.files), readAtMs, this.#text);
    const of = given.find(({ reload }) => reload.outcome === outcome)?.reload;
    return this.#end(asked, of ?? { trigger, at: Date.now(), outcome, faults: [] }, text);
  }

  #readingOf({ trigger, earlier }: Asked): Promise<ConfigReading> {
    const given = earlier?.text ?? (this.#standing.keepsText(trigger) ? this.#text : undefined);
    return this.#readings.read(trigger, { file: this.#deps.file, names: this.#names, given });
  }

  #readable(asked: Asked, reading: ConfigReading): string | Reload {
    try {
      return reading.text();
    } catch (error) {
      return this.#unreadable(asked, error);
    }
  }

  #unreadable(asked: Asked, error: unknown): Reload {
    const { file, logger } = this.#deps;
    const { trigger } = asked;
    const faults = error instanceof ConfigError ? error.faults : [];
    const message = 'the configuration is faulty; the last good one stays in force';
    logger.error({ trigger, config: file, faults }, message);
    return this.#end(asked, { trigger, at: Date.now(), outcome: 'faulty', faults });
  }

  #end({ trigger, by, earlier }: Asked, reload: Omit<Reload, 'place'>, text?: string): Reload {
    const { outcome, faults, summary } = reload;
    const kept = outcome === 'reloaded' ? this.#text : text;
    this.history.add({ text: kept, trigger, by, outcome, faults, summary, of: earlier?.generation });
    // What is left alone, for it says what it did before, is no news.
    const isLeft = outcome === 'unchanged' && text === undefined;
    if (!isLeft) this.#standing.ended(trigger, outcome, text === undefined ? undefined : digestOf(text));
    for (const member of this.#deps.members()) void member.channel.tell('place', this.place);
    this.#deps.ended(outcome);
    return (this.#last = { ...reload, place: this.place });
  }

  // Fails closed: what clients get may not depend on which worker they meet, so that who could not follow is replaced.
  #settle(answers: readonly (readonly [Member, Answer | undefined])[]): void {
    for (const [member, answer] of answers) {
      const { outcome, faults = [] } = answer?.reload ?? {};
      if (outcome === 'reloaded' || outcome === 'unchanged') this.#editions.set(member, this.#edition);
      if (outcome === 'reloaded' || outcome === 'unchanged' || member.state === 'ended') continue;
      this.#deps.logger.error({ worker: member.slot, faults }, 'a worker is not up to date, and is replaced');
      member.kill();
    }
  }

  async #ask(
    members: readonly Member[],
    text: string,
    { trigger, by, earlier }: Asked,
  ): Promise<readonly (readonly [Member, Answer | undefined])[]> {
    const round = (this.#round = new ReloadRound((this.#rounds += 1), members, this.#deps.file));
    const asked = members.map(async (member, index) => {
      const generation = earlier?.generation;
      const question = { round: round.id, trigger, by, generation, text, isEcho: index > 0 };
      // Who is gone has no say; another one takes its place with what is in force.
      const told = member.channel.ask('reload', question).catch(() => undefined);
      const answer = await Promise.race([told, round.late]);
      round.left(member, answer?.reload.faults);
      return [member, answer] as const;
    });
    const answers = await Promise.all(asked);
    round.close();
    this.#round = undefined;
    return answers;
  }
}

const digestOf = writtenDigest;

// Who has agreed has it in force, or could not put it there.
function outcomeOf(outcomes: readonly ReloadOutcome[]): ReloadOutcome {
  for (const one of ['reloaded', 'needs-restart', 'faulty'] as const) if (outcomes.includes(one)) return one;
  return 'unchanged';
}
