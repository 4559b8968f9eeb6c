import { resolve } from 'node:path';
import { DevCrew, endText, type Started } from './crew.ts';
import type { DevCommand } from './dev-command.ts';
import { FileWatch, type Change, type WatchedFolder } from './file-watch.ts';
import type { FromChild, UsedFile } from './messages.ts';
import { ownChanged, ownFolders } from './own-build.ts';
import { Protos } from './protos.ts';
import type { Screen } from './screen.ts';

/** How long a start may take before a change makes an end to it, in ms. */
const PATIENCE_MS = 5000;

/** One session of `gatehouse dev`: changes of files come in, and what comes of them is told. */
export class DevSession {
  readonly #screen: Screen;
  readonly #crew: DevCrew;
  readonly #watch: FileWatch;
  readonly #protos: Protos;
  readonly #folders: readonly WatchedFolder[];
  /** What the last start was made of, and what the one that serves is. */
  #tried: readonly UsedFile[] = [];
  #used: readonly UsedFile[] = [];
  /** Whether what serves is not what the files say: the last start has failed. */
  #isBehind = true;
  #isBusy = false;
  #waiting: readonly Change[] = [];
  #isEnding = false;
  /** When the last start began, on the clock of `performance.now()`. */
  #begun = 0;

  constructor(command: DevCommand, screen: Screen) {
    this.#screen = screen;
    this.#crew = new DevCrew(
      { heard: (message) => this.#heard(message), crashed: (end) => this.#crashed(endText(end)) },
      { command, color: screen.hasColor },
    );
    this.#watch = new FileWatch((changes) => void this.#changed(changes));
    this.#protos = new Protos(command.proto, (line) => screen.say(line));
    const extra = command.watched.map((path): WatchedFolder => ({ path: resolve(path), kind: 'code' }));
    this.#folders = [...extra, ...this.#protos.folders, ...ownFolders()];
  }

  /** Starts the first gateway, and looks for changes from now on; one that does not start waits for them. */
  async begin(): Promise<void> {
    await this.#watch.start(this.#folders);
    await this.#busy(async () => {
      await this.#start('started');
    });
  }

  /** Ends all of it, without delay. */
  async end(): Promise<void> {
    this.#isEnding = true;
    this.#watch.stop();
    this.#protos.stop();
    await this.#crew.end();
  }

  /** Ends all of it without asking. */
  kill(): void {
    this.#protos.stop();
    this.#crew.kill();
  }

  async #changed(changes: readonly Change[]): Promise<void> {
    if (this.#isEnding) return;
    if (this.#isBusy) {
      this.#waiting = [...this.#waiting, ...changes];
      // Code that waits for something that never comes would wait for ever.
      if (performance.now() - this.#begun > PATIENCE_MS) this.#crew.abandon();
      return;
    }
    await this.#busy(() => this.#act(changes));
  }

  // One after the other: what changes meanwhile is one more change.
  async #busy(act: () => Promise<void>): Promise<void> {
    this.#isBusy = true;
    try {
      await act();
      while (this.#waiting.length > 0 && !this.#isEnding) {
        const changes = this.#waiting;
        this.#waiting = [];
        await this.#act(changes);
      }
    } finally {
      this.#isBusy = false;
    }
  }

  async #act(changes: readonly Change[]): Promise<void> {
    const kinds = new Set(changes.map(({ kind }) => kind));
    const made = changes.filter(({ kind }) => kind !== 'own');
    const isBuilt = await ownChanged(changes.filter(({ kind }) => kind === 'own'));
    if (isBuilt) this.#crew.forgetSpare();
    else if (made.length === 0) return;
    if (kinds.has('proto')) {
      this.#screen.changed(changes, 'generating');
      if (!(await this.#generated())) return;
      return this.#start('restarted');
    }
    const reloads = !kinds.has('code') && !isBuilt && !this.#isBehind && this.#crew.serves;
    this.#screen.changed(changes, reloads ? 'reloading' : 'restarting');
    if (!reloads) return this.#start('restarted');
    this.#crew.reload();
  }

  async #generated(): Promise<boolean> {
    const faults = await this.#protos.generate();
    if (faults === undefined) {
      // What was written just now is what the next one is made of.
      await this.#watch.settle();
      return true;
    }
    this.#screen.fault(faults, `not generated${this.#goesOn}`);
    return false;
  }

  async #start(done: string): Promise<void> {
    const begun = (this.#begun = performance.now());
    const started = await this.#crew.start();
    if (this.#isEnding) return;
    this.#note(started);
    if (started.is === 'failed')
      return this.#screen.fault(started.text, `not ${done}${this.#goesOn}`);
    const { urls, adminUrl } = started.serving;
    const seconds = ((performance.now() - begun) / 1000).toFixed(2);
    this.#screen.serving(started.serving);
    this.#screen.say(`${done} in ${seconds} s: ${urls.join(', ')}, operators at ${adminUrl}`, 'green');
  } // prettier-ignore

  get #goesOn(): string {
    return this.#crew.serves
      ? '; the gateway before goes on, and the next change is another try'
      : '; waiting for a change';
  }

  #note(started: Started): void {
    this.#isBehind = started.is === 'failed';
    // One that has ended before it could say anything was made of what the one before was.
    this.#tried = started.files.length > 0 ? started.files : this.#tried;
    if (started.is === 'ready') this.#used = started.files;
    this.#watchAll();
  }

  #watchAll(): void {
    this.#watch.use(this.#tried, this.#used);
  }

  #heard(message: FromChild): void {
    if (message.is === 'said') return this.#screen.say(message.text, 'magenta');
    if (message.is !== 'reloaded' || this.#isEnding) return;
    const { outcome, text, serving, files } = message;
    this.#used = this.#tried = files;
    this.#watchAll();
    if (outcome === 'needs-restart') return void this.#restart();
    if (outcome === 'faulty')
      return this.#screen.fault(text, 'not reloaded; the configuration before stays in force');
    this.#screen.serving(serving);
    this.#screen.say(outcome === 'reloaded' ? 'reloaded' : 'nothing has changed', 'green');
  }

  async #restart(): Promise<void> {
    this.#screen.say('that takes a restart');
    // What starts meanwhile has read it.
    if (this.#isBusy) this.#isBehind = true;
    else await this.#busy(() => this.#start('restarted'));
  }

  #crashed(how: string): void {
    this.#isBehind = true;
    this.#screen.say(`the gateway has crashed: ${how}; it is started again on the next change`, 'red');
  }
}
