import type { Reloads } from '../snapshot/reloads.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { DiscoveryView } from '../upstreams/discovery/discovery-view.ts';
import { TargetWatch } from '../upstreams/health/target-watch.ts';
import type { Target } from '../upstreams/target.ts';
import type { StreamMark, Trouble } from './traffic-answers.ts';

/** How many are shown. */
export const MOST_SHOWN = 100;
/** How many are told apart; since when the others are there is not known. */
const MOST_KNOWN = 2000;
const FRESH_MS = 900;
const DAY_MS = 86_400_000;
const CERTIFICATE_DAYS = 14;
const MOST_MARKS = 100;

/** What is looked at for trouble. */
export interface TroubleSources {
  readonly snapshots: Snapshots;
  readonly reloads: Reloads;
  readonly metrics: Metrics;
}

type Found = Omit<Trouble, 'since'> & { readonly sinceMs?: number | undefined };

/** What is not as it should be in this process, and since when; read at most once a second. */
export class Troubles {
  readonly #sources: TroubleSources;
  readonly #now: () => number;
  readonly #known = new Map<string, number>();
  readonly #marks: StreamMark[] = [];
  #markCount = 0;
  #readAt = -Infinity;
  #all: readonly Trouble[] = [];
  #loadedAt: number;

  constructor(sources: TroubleSources, now: () => number = Date.now) {
    this.#sources = sources;
    this.#now = now;
    this.#loadedAt = sources.reloads.loadedAt;
  }

  /** All of it, what is there longest first. */
  all(): readonly Trouble[] {
    const now = this.#now();
    if (now - this.#readAt >= FRESH_MS) {
      this.#readAt = now;
      this.#all = this.#read(now);
    }
    return this.#all;
  }

  /** How many marks there were since the process began. */
  get marked(): number {
    return this.#markCount;
  }

  /** What began and ended after so many marks, as far as it is kept. */
  marksAfter(count: number): readonly StreamMark[] {
    return this.#marks.slice(Math.max(0, this.#marks.length - (this.#markCount - count)));
  }

  #read(now: number): readonly Trouble[] {
    const found = new Map([...this.#found(now)].map((one) => [keyOf(one), one]));
    for (const [key] of this.#known) if (!found.has(key)) this.#over(key, now);
    const all: Trouble[] = [];
    for (const [key, { sinceMs, ...one }] of found) {
      const isNew = !this.#known.has(key);
      const since = this.#known.get(key) ?? sinceMs ?? now;
      if (isNew && this.#known.size < MOST_KNOWN) {
        this.#known.set(key, since);
        this.#mark({ at: iso(now), kind: one.kind, text: one.text, over: false });
      }
      all.push({ ...one, since: iso(since) });
    }
    this.#markReload(now);
    return all.sort((one, other) => (one.since < other.since ? -1 : 1));
  }

  #over(key: string, now: number): void {
    this.#known.delete(key);
    const [kind, upstream, target, text] = JSON.parse(key) as string[];
    const what = [upstream, target, text].filter((part) => part !== '').join(' ');
    this.#mark({ at: iso(now), kind: kind as Trouble['kind'], text: `${what} is well again`, over: true });
  }

  #markReload(now: number): void {
    const { loadedAt } = this.#sources.reloads;
    if (loadedAt === this.#loadedAt) return;
    this.#loadedAt = loadedAt;
    this.#mark({ at: iso(now), kind: 'reload', text: 'another configuration is in force', over: false });
  }

  #mark(mark: StreamMark): void {
    this.#markCount += 1;
    this.#marks.push(mark);
    if (this.#marks.length > MOST_MARKS) this.#marks.shift();
  }

  *#found(now: number): Generator<Found> {
    const { snapshots, reloads, metrics } = this.#sources;
    for (const { name, targets } of snapshots.current.upstreams.all())
      for (const target of targets) yield* troubleOf(name, target);
    for (const view of snapshots.current.upstreams.discovered) yield* discoveryTrouble(view);
    const { last } = reloads;
    if (last !== undefined && (last.outcome === 'faulty' || last.outcome === 'needs-restart'))
      yield {
        kind: 'reload',
        text: `the last reload was refused: ${last.faults[0]?.message ?? last.outcome}`,
        sinceMs: last.at,
        href: 'config',
      };
    for (const [use, isUsed] of metrics.storeUses)
      if (!isUsed) yield { kind: 'store', text: `Redis is not used for ${use}`, href: 'process' };
    for (const { of, name, file, endsAt } of metrics.config.shownCertificates) {
      const days = (endsAt - now) / DAY_MS;
      if (days >= CERTIFICATE_DAYS) continue;
      const when = days < 0 ? 'has ended' : `ends in ${Math.floor(days)} days`;
      yield { kind: 'certificate', text: `${file} of ${of} ${name} ${when}`, href: 'config' };
    }
  }
}

function* troubleOf(upstream: string, { host: target, available, health }: Target): Generator<Found> {
  const watch = health instanceof TargetWatch ? health : undefined;
  const href = `upstreams/${encodeURIComponent(upstream)}?target=${encodeURIComponent(target)}`;
  const breaker = watch?.breaker;
  if (breaker !== undefined && breaker.state !== 'closed') {
    const { at } = breaker.history.at(-1) ?? {};
    const cause = breaker.cause === undefined ? '' : ` (${breaker.cause})`;
    const text = `the breaker of ${upstream} ${target} is ${breaker.state}${cause}`;
    yield { kind: 'breaker', text, sinceMs: at, upstream, target, href };
  } else if (!available || watch?.reason !== undefined) {
    const why = watch?.reason ?? 'not available';
    const sinceMs = watch?.verdict === 'down' ? watch.verdictAt : undefined;
    yield { kind: 'target', text: `${upstream} ${target}: ${why}`, sinceMs, upstream, target, href };
  }
}

function* discoveryTrouble({ upstream, source, state, held, lastError }: DiscoveryView): Generator<Found> {
  if (state === 'healthy' || state === 'starting') return;
  const why = held ?? lastError?.message ?? state;
  const href = `upstreams/${encodeURIComponent(upstream)}`;
  yield { kind: 'discovery', text: `${source} of ${upstream} is ${state}: ${why}`, upstream, href };
}

// Texts change while what they are about goes on: days that are left, causes.
function keyOf({ kind, upstream = '', target = '', text }: Found): string {
  return JSON.stringify([
    kind,
    upstream,
    target,
    upstream === '' ? text.replace(/ (?:ends in \d+ days|has ended)$/, '') : '',
  ]);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
