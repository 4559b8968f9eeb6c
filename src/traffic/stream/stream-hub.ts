import type { Overview } from '../overview.ts';
import { redacted } from '../../telemetry/redaction.ts';
import type { StreamHello, StreamMark } from '../traffic-answers.ts';
import { eventText } from './event-text.ts';
import { LiveView } from './live-view.ts';
import { contentOf, EVERY_S, type ViewQuery } from './view-content.ts';

/** How many streams there are at most at once. */
export const MOST_STREAMS = 64;
/** How many of them one reader has at most, so that others find a place: a browser has one for each view that is in sight. */
export const MOST_STREAMS_OF_ONE = 16;
/** How many views are kept, those included that nobody looks at just now: who comes back goes on. */
const MOST_VIEWS = 128;
const IDLE_TICKS = 60;
const COMMENT_TICKS = 15;
/** Who takes nothing for so long is cut off. */
const STUCK_TICKS = 30;
const MARKS_A_TICK = 5;
/** After so long who reads comes back by itself, and is asked again who it is. */
const LONGEST_TICKS = 900;

/** How many faults are told one by one; the rest is only counted. */
const MOST_TOLD = 100;

/** Hears of a view that cannot be made. */
export type ViewFault = (fault: {
  readonly view: ViewQuery['view'];
  /** Of a route or an upstream: which. */
  readonly id: string | undefined;
  readonly error: unknown;
  /** Whether this view has not failed so before. */
  readonly isNew: boolean;
}) => void;

/** Where a stream is written to. */
export interface StreamSink {
  readonly writableNeedDrain: boolean;
  readonly destroyed: boolean;
  write(text: string): unknown;
  destroy(): unknown;
}

/** Who reads, and what of. */
export interface StreamReader {
  readonly sink: StreamSink;
  /** Whose stream it is, in whatever words; equal for one operator. */
  readonly who: string;
  /** What the stream before it has seen last. */
  readonly lastId?: string | undefined;
}

interface Reader {
  readonly sink: StreamSink;
  readonly who: string;
  readonly shown: Shown;
  seen: number;
  generation: number;
  stuck: number;
  age: number;
  marks: number;
}

interface Shown {
  readonly view: LiveView;
  readonly query: ViewQuery;
  readonly readers: Set<Reader>;
  idle: number;
}

/**
 * The streams of this process. Views that several show are made once, and nothing is made that nobody looks at. Whoever does not
 * take what was sent is sent nothing more until he has: what comes then is all that has changed.
 */
export class StreamHub {
  readonly #overview: Overview;
  readonly #failed: ViewFault;
  /** Faults that were told already, each with its view. */
  readonly #told = new Set<string>();
  readonly #shown = new Map<string, Shown>();
  readonly #readers = new Set<Reader>();
  #ticks = 0;

  /** @param failed hears of every view that cannot be made; `isNew` once for each view and fault. */
  constructor(overview: Overview, failed: ViewFault) {
    this.#overview = overview;
    this.#failed = failed;
  }

  /** How many streams are open. */
  get size(): number {
    return this.#readers.size;
  }

  /** Why there is no place for one more of somebody: they have their share, or all are taken; undefined where there is. */
  refusal(who: string): 'share' | 'full' | undefined {
    let own = 0;
    for (const reader of this.#readers) if (reader.who === who) own += 1;
    if (own >= MOST_STREAMS_OF_ONE) return 'share';
    return this.#readers.size >= MOST_STREAMS ? 'full' : undefined;
  }

  /** How many views are kept. */
  get views(): number {
    return this.#shown.size;
  }

  /** Begins a stream, or goes on with one. @returns what ends it. */
  async open(query: ViewQuery, { sink, who, lastId }: StreamReader): Promise<() => void> {
    const shown = this.#shownOf(query);
    const marks = this.#overview.troubles.marked;
    const { generation } = this.#overview;
    const reader: Reader = { sink, who, shown, seen: 0, generation, stuck: 0, age: 0, marks };
    // Counted before anything is waited for: there would be too many otherwise.
    this.#readers.add(reader);
    shown.readers.add(reader);
    try {
      if (shown.view.step === 0) await shown.view.refresh();
    } catch (error) {
      this.#close(reader);
      this.#fail(query, error);
      throw error;
    }
    reader.seen = shown.view.stepOf(lastId);
    if (sink.destroyed) this.#close(reader);
    if (!this.#readers.has(reader)) return () => undefined;
    sink.write(this.#hello(shown));
    this.#send(reader);
    return () => this.#close(reader);
  }

  /** What a stream would send now, as a whole: for who can be given no stream. */
  async once(query: ViewQuery, lastId?: string): Promise<string> {
    const shown = this.#shownOf(query);
    shown.idle = 0;
    await shown.view.refresh().catch((error: unknown) => {
      this.#fail(query, error);
      throw error;
    });
    const { view } = shown;
    return this.#hello(shown) + view.after(view.stepOf(lastId));
  }

  /** Another second has begun. */
  async tick(): Promise<void> {
    this.#ticks += 1;
    for (const [key, shown] of this.#shown) {
      shown.idle = shown.readers.size > 0 ? 0 : shown.idle + 1;
      if (shown.idle > IDLE_TICKS) this.#shown.delete(key);
    }
    if (this.#readers.size === 0) return;
    this.#overview.troubles.all();
    const due = [...this.#shown.values()].filter(
      ({ readers, view }) => readers.size > 0 && this.#ticks % view.everyTicks === 0,
    );
    // A view that cannot be made is none for this second: who reads it keeps what was there, and all others go on.
    await Promise.all(
      due.map(({ view, query }) => view.refresh().catch((error) => this.#fail(query, error))),
    );
    for (const reader of this.#readers) {
      reader.age += 1;
      if (reader.age > LONGEST_TICKS) this.#end(reader);
      else this.#send(reader);
    }
  }

  #fail({ view, id }: ViewQuery, error: unknown): void {
    const key = `${view} ${id ?? ''} ${String(error)}`;
    const isNew = !this.#told.has(key) && this.#told.size < MOST_TOLD;
    if (isNew) this.#told.add(key);
    this.#failed({ view, id, error, isNew });
  }

  /** Ends all of them. */
  close(): void {
    for (const reader of this.#readers) this.#end(reader);
  }

  #end(reader: Reader): void {
    reader.sink.destroy();
    this.#close(reader);
  }

  #close(reader: Reader): void {
    this.#readers.delete(reader);
    reader.shown.readers.delete(reader);
  }

  #send(reader: Reader): void {
    const { sink, shown } = reader;
    if (sink.writableNeedDrain) {
      reader.stuck += 1;
      if (reader.stuck <= STUCK_TICKS) return;
      return this.#end(reader);
    }
    reader.stuck = 0;
    let text = this.#newsFor(reader);
    text += shown.view.after(reader.seen);
    reader.seen = shown.view.step;
    if (text === '' && this.#ticks % COMMENT_TICKS === 0) text = ': still here\n\n';
    if (text !== '') sink.write(text);
  }

  #newsFor(reader: Reader): string {
    let text = '';
    const { generation, troubles } = this.#overview;
    if (generation !== reader.generation) {
      reader.generation = generation;
      text += this.#hello(reader.shown);
    }
    if (troubles.marked !== reader.marks) {
      text += marksText(troubles.marksAfter(reader.marks));
      reader.marks = troubles.marked;
    }
    return redacted(text);
  }

  #hello({ view, query }: Shown): string {
    const hello: StreamHello = {
      epoch: view.epoch,
      generation: this.#overview.generation,
      at: new Date().toISOString(),
      view: query.view,
      everyMs: view.everyTicks * 1000,
      ...(view.total !== undefined && { total: view.total }),
    };
    return eventText('hello', JSON.stringify(hello));
  }

  #shownOf(query: ViewQuery): Shown {
    const key = JSON.stringify(query);
    const known = this.#shown.get(key);
    if (known !== undefined) return known;
    if (this.#shown.size >= MOST_VIEWS) this.#dropIdle();
    const view = new LiveView(key, EVERY_S[query.view], () => contentOf(this.#overview, query));
    const shown: Shown = { view, query, readers: new Set(), idle: 0 };
    this.#shown.set(key, shown);
    return shown;
  }

  #dropIdle(): void {
    for (const [key, { readers }] of this.#shown) if (readers.size === 0) return void this.#shown.delete(key);
  }
}

function marksText(marks: readonly StreamMark[]): string {
  const shown = marks.slice(-MARKS_A_TICK).map((mark) => eventText('mark', JSON.stringify(mark)));
  const left = marks.length - shown.length;
  const at = marks.at(-1)?.at;
  const more = { at, kind: marks[0]?.kind, text: `and ${left} more`, over: false };
  return shown.join('') + (left > 0 ? eventText('mark', JSON.stringify(more)) : '');
}
