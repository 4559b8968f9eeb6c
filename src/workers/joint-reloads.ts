import { hash } from 'node:crypto';
import { ConfigError, type ConfigFault } from '../config/config-fault.ts';
import { readText } from '../config/config-reader.ts';
import { ConfigFileWatch } from '../snapshot/config-file-watch.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ReloadOutcome } from '../telemetry/metrics.ts';
import type { InForce, Questions } from './messages.ts';
import type { Member } from './member.ts';

/** A worker that has not said by then whether it takes a configuration does not. */
const VOTE_WITHIN_MS = 60_000;

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
  readonly #open: Set<Member>;
  readonly #verdict = Promise.withResolvers<readonly ConfigFault[]>();
  readonly #timer: NodeJS.Timeout;
  #faults: readonly ConfigFault[] = [];

  constructor(members: readonly Member[], file: string) {
    this.#open = new Set(members);
    this.#timer = setTimeout(() => {
      const late = [...this.#open].map(({ slot }) => slot).join(', ');
      this.#end([{ file, key: '', message: `has not been looked at in time by worker ${late}` }]);
    }, VOTE_WITHIN_MS);
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
    this.#verdict.resolve(faults);
  }
}

/** Puts configurations into force in all workers, or in none. They all read the text that the primary has read. */
export class JointReloads {
  readonly #deps: JointReloadsDeps;
  readonly #watches = new Map<string, ConfigFileWatch>();
  #text = '';
  #digest = '';
  #isWatching = false;
  #round: Round | undefined = undefined;
  #running: Promise<void> = Promise.resolve();
  #isWaiting = false;

  constructor(deps: JointReloadsDeps) {
    this.#deps = deps;
  }

  /** The configuration that is in force, or that the first worker begins with. */
  get text(): string {
    return this.#text;
  }

  /** SHA-256 of it. */
  get digest(): string {
    return this.#digest;
  }

  /** Reads the file for the first time. @throws {ConfigError} when it cannot be read. */
  async begin(): Promise<void> {
    this.#take(await readText(this.#deps.file));
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
  agree(member: Member): Promise<readonly ConfigFault[]> {
    return this.#round?.agree(member) ?? Promise.resolve([]);
  }

  /** Brings a worker up to date that began before a configuration was in force, and listens only now. */
  catchUp(member: Member, { digest }: InForce): void {
    if (digest === this.#digest) return;
    this.#running = this.#running.then(async () => {
      if (digest !== this.#digest) await this.#ask([member], this.#text, 'catch up');
    });
  }

  async #reload(trigger: string): Promise<void> {
    const { file, logger } = this.#deps;
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
    const answers = await this.#ask(this.#deps.members(), text, trigger);
    const outcome = outcomeOf(answers.map(({ reload }) => reload.outcome));
    if (outcome === 'reloaded') this.#take(text);
    const last = answers.at(-1);
    if (last !== undefined) this.#watchNamed(last.files);
    this.#deps.ended(outcome);
  }

  async #ask(members: readonly Member[], text: string, trigger: string): Promise<readonly Answer[]> {
    const round = (this.#round = new Round(members, this.#deps.file));
    const asked = members.map(async (member, index) => {
      try {
        const answer = await member.channel.ask('reload', { trigger, text, isEcho: index > 0 });
        round.left(member, answer.reload.faults);
        return [answer];
      } catch {
        // Who is gone has no say; another one takes its place with what is in force.
        round.left(member);
        return [];
      }
    });
    const answers = (await Promise.all(asked)).flat();
    this.#round = undefined;
    return answers;
  }

  #take(text: string): void {
    this.#text = text;
    this.#digest = hash('sha256', text, 'hex');
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

function outcomeOf(outcomes: readonly ReloadOutcome[]): ReloadOutcome {
  for (const worst of ['needs-restart', 'faulty', 'reloaded'] as const)
    if (outcomes.includes(worst)) return worst;
  return 'unchanged';
}
