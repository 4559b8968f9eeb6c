import { RELOAD_OUTCOMES, type ReloadOutcome } from '../telemetry/config-metrics.ts';
import type { MetricFamily, MetricValue } from '../telemetry/metric-family.ts';
import type { MetricsFormat } from '../telemetry/metrics-format.ts';
import { pageOfFamilies } from '../telemetry/scrape.ts';
import { END_REASONS, type EndReason } from './crew-times.ts';
import { isCounted, MetricSums } from './metric-family.ts';
import type { Member } from './member.ts';

/** How often the counters of workers are looked at, so that one that is killed takes no more with it. */
const LOOK_EVERY_MS = 5000;
/** How long a scrape waits for a worker that does not answer. */
const ANSWER_WITHIN_MS = 2000;
/** Series of workers that have ended; what names targets could make ever more. */
const MOST_KEPT_SERIES = 20_000;
/** One reload is one, and not one for each worker. */
const OWN = 'gatehouse_config_reloads_total';

/** Metrics of all workers on one page: what is counted is added up, and never falls when one of them is replaced. */
export class CrewMetrics {
  readonly #members: () => readonly Member[];
  readonly #wanted: number;
  readonly #more: () => readonly MetricFamily[];
  readonly #reloads = new Map<string, number>(RELOAD_OUTCOMES.map((outcome) => [outcome, 0]));
  readonly #ends = new Map<string, number>();
  /** What each worker had counted when somebody last looked. */
  readonly #last = new Map<Member, readonly MetricFamily[]>();
  /** What those had counted that are gone. */
  readonly #departed = new MetricSums(MOST_KEPT_SERIES);
  #timer: NodeJS.Timeout | undefined = undefined;

  /** @param more what else the primary itself shows. Default nothing. */
  constructor(
    members: () => readonly Member[],
    wanted: number,
    more: () => readonly MetricFamily[] = () => [],
  ) {
    this.#more = more;
    this.#members = members;
    this.#wanted = wanted;
    for (let slot = 1; slot <= wanted; slot += 1)
      for (const reason of END_REASONS) this.#ends.set(`${slot} ${reason}`, 0);
  }

  /** Begins to look at what is counted. */
  start(): void {
    this.#timer = setInterval(() => void this.#look(false), LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Counts a reload of all workers. */
  reloaded(outcome: ReloadOutcome): void {
    this.#reloads.set(outcome, (this.#reloads.get(outcome) ?? 0) + 1);
  }

  /** Takes note of all that a worker has counted. */
  told(member: Member, families: readonly MetricFamily[]): void {
    this.#last.set(member, families.filter(isCounted));
  }

  /** Keeps what a worker has counted that is gone. */
  ended(member: Member, reason: EndReason): void {
    const key = `${member.slot} ${reason}`;
    this.#ends.set(key, (this.#ends.get(key) ?? 0) + 1);
    this.#departed.add(this.#last.get(member) ?? []);
    this.#last.delete(member);
  }

  /** What a scrape shows. */
  async page(format: MetricsFormat): Promise<Buffer> {
    const gauges = await this.#look(true);
    const sums = new MetricSums();
    sums.add(this.#own());
    sums.add(this.#departed.families().filter(({ name }) => name !== OWN));
    for (const [member, families] of this.#last) {
      sums.add(families.filter(({ name }) => name !== OWN));
      sums.add(gauges.get(member) ?? [], labelOf(member));
    }
    return pageOfFamilies(sums.families(), format);
  }

  async #look(withGauges: boolean): Promise<ReadonlyMap<Member, readonly MetricFamily[]>> {
    const gauges = new Map<Member, readonly MetricFamily[]>();
    const asked = this.#members().map(async (member) => {
      if (member.places === undefined) return;
      const families = await answered(member, withGauges);
      // One that has ended meanwhile is counted already, and would be twice.
      if (families === undefined || member.state === 'ended') return;
      this.told(member, families);
      gauges.set(
        member,
        families.filter((family) => !isCounted(family)),
      );
    });
    await Promise.all(asked);
    return gauges;
  }

  #own(): readonly MetricFamily[] {
    const members = this.#members();
    const count = (state: string): MetricValue => ({
      labels: { state },
      value: members.filter((one) => one.state === state).length,
    });
    const ends = [...this.#ends].map(([key, value]): MetricValue => {
      const [worker = '', reason = ''] = key.split(' ');
      return { labels: { worker, reason }, value };
    });
    return [
      ...this.#more(),
      family('workers', 'gauge', 'Workers by how they are.', ['starting', 'serving', 'leaving'].map(count)),
      family('workers_wanted', 'gauge', 'How many workers there should be.', [
        { labels: {}, value: this.#wanted },
      ]),
      family('worker_ends_total', 'counter', 'Workers that have ended, by why; each is replaced.', ends),
      family(
        'worker_started_timestamp_seconds',
        'gauge',
        'When a worker was started, in seconds since the epoch.',
        members.map((one) => ({ labels: { worker: labelOf(one) }, value: one.startedAt / 1000 })),
      ),
      {
        name: OWN,
        help: 'Attempts to put another configuration into force, by what became of them.',
        type: 'counter',
        values: [...this.#reloads].map(([outcome, value]) => ({ labels: { outcome }, value })),
      },
    ];
  }
}

// Beside the one that takes its place there is at most one that leaves, unless it takes long.
function labelOf({ slot, state }: Member): string {
  return state === 'leaving' ? `${slot} leaving` : String(slot);
}

function family(name: string, type: string, help: string, values: readonly MetricValue[]): MetricFamily {
  return { name: `gatehouse_${name}`, type, help, values };
}

async function answered(member: Member, gauges: boolean): Promise<readonly MetricFamily[] | undefined> {
  let timer: NodeJS.Timeout | undefined = undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ANSWER_WITHIN_MS);
  });
  try {
    return await Promise.race([member.channel.ask('metrics', { gauges }), late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
