import { setTimeout as sleep } from 'node:timers/promises';
import type { RestartBegin } from '../admin/admin-orders.ts';
import type { Workforce } from '../health/workforce.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CREW_TIMES, type CrewTimes, type EndReason } from './crew-times.ts';
import { Member, type MemberDeps, type MemberEnd } from './member.ts';
import { slotsFor, type Slot } from './slot.ts';

/** How often a worker may end soon after its start before it is given up to wait for it. */
const MOST_FAILURES = 5;
const LOOK_EVERY_MS = 10;
/** How often those are looked at that may hang, within the time that they may; a primary that hangs itself misses looks, too. */
const LOOKS = 4;

/** What the crew needs of the primary. */
export interface CrewDeps {
  readonly wanted: number;
  /** What a worker may take to leave before it is killed, in ms. */
  readonly leaveMs: number;
  /** For how long a worker may give no answer before it is killed and replaced, in ms; Infinity for any time. */
  readonly silentMs: number;
  /** Default those of {@link CrewTimes}. */
  readonly times?: Partial<CrewTimes>;
  readonly logger: Logger;
  /** What members are made with; the crew listens itself to what concerns it. */
  readonly member: Omit<MemberDeps, 'serving' | 'failing' | 'starving' | 'restart'>;
  /** Hears that a worker has ended. */
  ended(member: Member, reason: EndReason): void;
  /** Hears that none lives, and that it makes no sense to go on. */
  lost(): void;
}

/** The workers of one primary: it starts them, replaces those that end, and has them leave. */
export class Crew {
  readonly #deps: CrewDeps;
  readonly #slots: readonly Slot[];
  readonly #all = new Set<Member>();
  readonly #told = new Map<Member, string>();
  readonly #expected = new Map<Member, EndReason>();
  #isComplete = false;
  #isStopping = false;
  /** Whether a worker has listened ever. */
  #hasBegun = false;
  #restarting: Promise<void> | undefined = undefined;
  readonly #times: CrewTimes;
  #beat: NodeJS.Timeout | undefined = undefined;

  constructor(deps: CrewDeps) {
    this.#deps = deps;
    this.#times = { ...CREW_TIMES, ...deps.times };
    this.#slots = slotsFor(deps.wanted);
  }

  /** All that live, those that leave too, in the order of their places. */
  get all(): readonly Member[] {
    return [...this.#all].toSorted((one, other) => one.slot - other.slot || one.startedAt - other.startedAt);
  }

  /** Those that clients reach. */
  get listening(): readonly Member[] {
    return this.all.filter((one) => one.isListening);
  }

  /** Whether workers are being restarted. */
  get isRestarting(): boolean {
    return this.#restarting !== undefined;
  }

  get workforce(): Workforce {
    const serving = this.#slots.filter(({ current }) => current?.state === 'serving').length;
    return { serving, wanted: this.#deps.wanted, isComplete: this.#isComplete };
  }

  /** Starts one; once it listens, the others. Rejects with how the first one has ended. */
  async start(): Promise<void> {
    const { silentMs } = this.#deps;
    if (silentMs < Infinity) this.#beat = setInterval(() => this.#endSilent(), silentMs / LOOKS);
    const [first, ...others] = this.#slots as [Slot, ...Slot[]];
    const member = this.#fork(first, false);
    first.current = member;
    await this.#until(member, () => member.isListening);
    if (member.state === 'ended' && !this.#isStopping) {
      this.#isStopping = true;
      throw new Error(`no worker starts: the first one has ended with ${endText(await member.ended)}`);
    }
    this.#hasBegun = true;
    for (const slot of others) if (!this.#isStopping) slot.current = this.#fork(slot, false);
    while (!this.#isComplete && !this.#isStopping) await sleep(LOOK_EVERY_MS);
  }

  /** Replaces all, one after the other; each leaves once another one serves in its place. One that does not start ends it. */
  restart(by: string): RestartBegin {
    if (this.#isStopping) return 'leaving';
    if (this.#restarting !== undefined) return 'under-way';
    this.#deps.logger.info({ trigger: by }, 'workers are restarted, one after the other');
    this.#restarting = this.#restartAll().finally(() => (this.#restarting = undefined));
    return 'begun';
  }

  /** Has all of them leave; resolves with whether all did so by themselves. */
  async stop(): Promise<boolean> {
    this.#isStopping = true;
    const all = this.all;
    for (const { timer } of this.#slots) clearTimeout(timer);
    for (const member of all) {
      this.#expected.set(member, 'left');
      member.leave(false, this.#deps.leaveMs);
    }
    const ends = await Promise.all(all.map(async (member) => ({ member, ...(await member.ended) })));
    return ends.every(({ member, code }) => code === 0 || member.places === undefined);
  }

  /** Ends all that are left, at once. */
  kill(): void {
    clearInterval(this.#beat);
    for (const member of this.#all) member.kill();
  }

  /** Ends what is under way. */
  cutOff(): void {
    for (const member of this.#all) void member.channel.tell('cutOff', undefined);
  }

  async #restartAll(): Promise<void> {
    const { logger } = this.#deps;
    for (const slot of this.#slots) {
      const before = slot.current;
      // Who is waited for begins anew anyway.
      if (before?.state !== 'serving') continue;
      const next = (slot.next = this.#fork(slot, true));
      const limit = setTimeout(() => next.kill(), this.#times.replacedWithinMs);
      await this.#until(next, () => next.state === 'serving');
      clearTimeout(limit);
      if (this.#isStopping) return;
      slot.next = undefined;
      if (next.state !== 'serving') {
        logger.error(
          { worker: slot.number },
          'a worker does not start again; the others are left as they are',
        );
        // The one before has ended meanwhile, and was not replaced because this one was to come.
        if (slot.current === undefined) this.#replace(slot, next);
        return;
      }
      slot.current = next;
      this.#changed();
      this.#expected.set(before, 'replaced');
      before.leave(true, this.#deps.leaveMs);
      await before.exited;
      if (this.#isStopping) return;
    }
    logger.info({ workers: this.#deps.wanted }, 'all workers were restarted');
  }

  #fork(slot: Slot, waits: boolean): Member {
    const { member: deps } = this.#deps;
    const member = new Member(slot.number, {
      ...deps,
      begin: (one) => ({ ...deps.begin(one), waits }),
      serving: (one) => this.#serves(slot, one),
      failing: (one) => this.#fails(slot, one, 'crashed'),
      starving: (one) => this.#starves(slot, one),
      restart: (by) => this.restart(by),
    });
    this.#all.add(member);
    void member.exited.then((end) => this.#ended(slot, member, end));
    return member;
  }

  // Whoever it has taken connections of waits for nothing, and a reload and each order wait for it.
  #endSilent(): void {
    for (const member of this.#all) {
      if (member.beat() < LOOKS || this.#expected.get(member) === 'stuck') continue;
      const { slot: worker, pid } = member;
      this.#deps.logger.error({ worker, pid }, 'a worker gives no answer, and is killed');
      this.#expected.set(member, 'stuck');
      member.kill();
    }
  }

  #serves(slot: Slot, member: Member): void {
    if (member.state !== 'starting') return;
    member.state = 'serving';
    slot.hasServed = true;
    this.#deps.logger.info({ worker: slot.number, pid: member.pid }, 'a worker serves');
    this.#changed();
  }

  // It drains by itself; who takes its place need not wait for that.
  #fails(slot: Slot, member: Member, reason: EndReason): void {
    if (member.state === 'leaving' || member.state === 'ended') return;
    member.state = 'leaving';
    this.#expected.set(member, reason);
    if (slot.current === member) this.#replace(slot, member);
  }

  #starves(slot: Slot, member: Member): void {
    if (this.#isStopping || !member.isListening) return;
    this.#deps.logger.error(
      { worker: slot.number, pid: member.pid },
      'a worker has no file descriptor for a connection, and is replaced: see `ulimit -n`',
    );
    this.#fails(slot, member, 'stuck');
    member.leave(true, this.#deps.leaveMs);
  }

  #ended(slot: Slot, member: Member, end: MemberEnd): void {
    const expected = this.#expected.get(member);
    this.#all.delete(member);
    this.#expected.delete(member);
    this.#told.delete(member);
    const left = end.code === 0 && member.places !== undefined;
    this.#deps.ended(member, expected ?? (left ? 'left' : 'crashed'));
    const line = { worker: slot.number, pid: member.pid, ...end };
    if (expected === undefined) this.#deps.logger[left ? 'warn' : 'error'](line, 'a worker has ended');
    if (slot.current === member) this.#replace(slot, member);
    else this.#changed();
  }

  #replace(slot: Slot, member: Member): void {
    slot.current = undefined;
    this.#changed();
    // The first one that does not start ends the start.
    if (this.#isStopping || slot.next !== undefined || !this.#hasBegun) return;
    const { stableMs, firstDelayMs, longestDelayMs } = this.#times;
    slot.failures = member.ageMs > stableMs && member.places !== undefined ? 1 : slot.failures + 1;
    if (slot.failures === MOST_FAILURES)
      this.#deps.logger.error(
        { worker: slot.number, failures: slot.failures },
        'a worker ends again and again',
      );
    if (slot.failures >= MOST_FAILURES) this.#changed();
    if (this.#isLost()) return this.#giveUp();
    const delayMs = slot.failures < 2 ? 0 : Math.min(longestDelayMs, firstDelayMs * 2 ** (slot.failures - 2));
    slot.timer = setTimeout(() => {
      // While others serve, it waits until it can as well.
      slot.current = this.#fork(slot, this.listening.length > 0);
    }, delayMs);
  }

  // Whoever looks after this process starts it again, perhaps elsewhere: another place may have been about to try once more.
  #giveUp(): void {
    for (const { timer } of this.#slots) clearTimeout(timer);
    this.#deps.lost();
  }

  #isLost(): boolean {
    return (
      this.#all.size === 0 &&
      this.#slots.every(({ failures }) => failures >= MOST_FAILURES || !this.#isComplete)
    );
  }

  #changed(): void {
    this.#isComplete ||= this.#slots.every(
      ({ hasServed, failures }) => hasServed || failures >= MOST_FAILURES,
    );
    const workforce = this.workforce;
    const text = JSON.stringify(workforce);
    for (const member of this.#all) {
      if (member.places === undefined || this.#told.get(member) === text) continue;
      this.#told.set(member, text);
      void member.channel.tell('workforce', workforce);
    }
  }

  /** Has a member hear of the others that has just begun to listen. */
  tell(member: Member): void {
    this.#told.delete(member);
    this.#changed();
  }

  async #until(member: Member, holds: () => boolean): Promise<void> {
    while (!holds() && member.state !== 'ended') await sleep(LOOK_EVERY_MS);
  }
}

function endText({ code, signal }: MemberEnd): string {
  return signal === null ? `exit code ${code}` : signal;
}
