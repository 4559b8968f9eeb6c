import { ConfigError, type ConfigFault } from '../config/config-fault.ts';
import { readText } from '../config/config-reader.ts';
import { ConfigFileWatch } from '../snapshot/config-file-watch.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ReloadOutcome } from '../telemetry/config-metrics.ts';
import type { Questions } from './messages.ts';
import type { Member } from './member.ts';

/** A worker that has not said by then whether it takes a configuration does not. */
const VOTE_WITHIN_MS = 60_000;
/** What it takes after that to put a configuration into force, or to drop it; who takes longer is not waited for. */
const END_WITHIN_MS = 5000;

type Answer = Questions['reload'][1];

/** What reloads need of the primary. */
export interface JointReloadsDeps {
  readonly file: string;
  readonly logger: Logger;
  /** Those that have to agree. */
  members(): readonly Member[];
  ended(outcome: ReloadOutcome): void;
}

/** One configuration on its way into force: every worker says first whether it would take it. */
class Round {
  /** Answers that come late may not be taken for those of another round. */
  readonly id: number;
  readonly #open: Set<Member>;
  readonly #verdict = Promise.withResolvers<readonly ConfigFault[]>();
  readonly #late = Promise.withResolvers<undefined>();
  #timer: NodeJS.Timeout;
  #faults: readonly ConfigFault[] = [];

  constructor(id: number, members: readonly Member[], file: string) {
    this.id = id;
    this.#open = new Set(members);
    this.#timer = setTimeout(() => {
      const late = [...this.#open].map(({ slot }) => slot).join(', ');
      this.#end([{ file, key: '', message: `has not been looked at in time by worker ${late}` }]);
    }, VOTE_WITHIN_MS);
  }

  /** Resolves when nobody waits any more. */
  get late(): Promise<undefined> {
    return this.#late.promise;
  }

  /** Everybody has answered. */
  close(): void {
    clearTimeout(this.#timer);
  }

  /** A worker would take it; resolves with what speaks against it elsewhere. */
  agree(member: Member): Promise<readonly ConfigFault[]> {
    this.#voted(member);
    return this.#verdict.promise;
  }

  /** A worker has not taken it, or is gone. */
  left(member: Member, faults: readonly ConfigFault[] = []): void {
    if (this.#faults.length === 0) this.#faults = faults;
    this.#voted(member);
  }

  #voted(member: Member): void {
    this.#open.delete(member);
    if (this.#open.size === 0) this.#end(this.#faults);
  }

  #end(faults: readonly ConfigFault[]): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#late.resolve(undefined), END_WITHIN_MS);
    this.#verdict.resolve(faults);
  }
}

/** Puts configurations into force in all workers, or in none. They all read the text that the primary has read. */
export class JointReloads {
  readonly #deps: JointReloadsDeps;
  readonly #watches = new Map<string, ConfigFileWatch>();
  /** Which configuration each worker has, by when it came into force. */
  readonly #editions = new WeakMap<Member, number>();
  #text = '';
  #edition = 0;
  #rounds = 0;
  #isWatching = false;
  #round: Round | undefined = undefined;
  #running: Promise<void> = Promise.resolve();
  #isWaiting = false;
  /** Why the file is to be read again once there is a worker to take it. */
  #due: string | undefined = undefined;

  constructor(deps: JointReloadsDeps) {
    this.#deps = deps;
  }

  /** The configuration that a worker begins with: the one in force. */
  begin(member: Member): string {
    this.#editions.set(member, this.#edition);
    return this.#text;
  }

  /** Reads the file for the first time. @throws {ConfigError} when it cannot be read. */
  async read(): Promise<void> {
    this.#text = await readText(this.#deps.file);
  }

  /** Takes over every change of the file, and of files that it names, from now on. */
  watch(files: readonly string[]): void {
    this.#isWatching = true;
    this.#watch(this.#deps.file, 'file');
    this.#watchNamed(files);
  }

  /** Takes nothing over any more. */
  close(): void {
    this.#isWatching = false;
    for (const watch of this.#watches.values()) watch.stop();
  }

  /** Reads the file again and puts it into force. One that is asked for meanwhile is made after it, once. */
  async reload(trigger: string): Promise<void> {
    if (this.#isWaiting) return this.#running;
    this.#isWaiting = true;
    return (this.#running = this.#running.then(() => {
      this.#isWaiting = false;
      return this.#reload(trigger);
    }));
  }

  /** A worker would take what it was sent. @returns what speaks against it elsewhere. */
  agree(member: Member, round: number): Promise<readonly ConfigFault[]> {
    if (this.#round?.id === round) return this.#round.agree(member);
    return Promise.resolve([{ file: this.#deps.file, key: '', message: 'nobody waits for it any more' }]);
  }

  /** Brings a worker that listens only now up to date with what came into force since it began. */
  catchUp(member: Member): void {
    // In its turn: one on its way into force may have begun before this worker had a say.
    this.#running = this.#running.then(() => this.#bringUp(member));
    if (this.#due !== undefined) void this.reload(this.#due);
    this.#due = undefined;
  }

  async #bringUp(member: Member): Promise<void> {
    if (this.#editions.get(member) === this.#edition || member.state === 'ended') return;
    const answers = await this.#ask([member], this.#text, 'catch up');
    this.#settle(answers);
  }

  async #reload(trigger: string): Promise<void> {
    const { file, logger } = this.#deps;
    const members = this.#deps.members();
    if (members.length === 0) {
      this.#due = trigger;
      return logger.warn({ trigger }, 'no worker is there to read the configuration: one that comes will');
    }
    let text: string;
    try {
      text = await readText(file);
    } catch (error) {
      const faults = error instanceof ConfigError ? error.faults : [];
      logger.error(
        { trigger, config: file, faults },
        'the configuration is faulty; the last good one stays in force',
      );
      return this.#deps.ended('faulty');
    }
    const answers = await this.#ask(members, text, trigger);
    const given = answers.flatMap(([, answer]) => answer ?? []);
    const outcome = outcomeOf(given.map(({ reload }) => reload.outcome));
    if (outcome === 'reloaded') {
      this.#text = text;
      this.#edition += 1;
      this.#settle(answers);
    }
    const last = given.at(-1);
    if (last !== undefined) this.#watchNamed(last.files);
    this.#deps.ended(outcome);
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
    trigger: string,
  ): Promise<readonly (readonly [Member, Answer | undefined])[]> {
    const round = (this.#round = new Round((this.#rounds += 1), members, this.#deps.file));
    const asked = members.map(async (member, index) => {
      const question = { round: round.id, trigger, text, isEcho: index > 0 };
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

  #watchNamed(files: readonly string[]): void {
    if (!this.#isWatching) return;
    const wanted = new Set([this.#deps.file, ...files]);
    for (const [name, watch] of this.#watches) {
      if (wanted.has(name)) continue;
      watch.stop();
      this.#watches.delete(name);
    }
    for (const name of files) this.#watch(name, 'certificate');
  }

  #watch(name: string, trigger: string): void {
    if (this.#watches.has(name)) return;
    const watch = new ConfigFileWatch(name, () => void this.reload(trigger));
    this.#watches.set(name, watch);
    watch.start();
  }
}

// Who has agreed has it in force, or could not put it there.
function outcomeOf(outcomes: readonly ReloadOutcome[]): ReloadOutcome {
  for (const one of ['reloaded', 'needs-restart', 'faulty'] as const) if (outcomes.includes(one)) return one;
  return 'unchanged';
}
