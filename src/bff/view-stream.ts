import { mayBeTold } from '../exchange/timings.ts';
import { Readable } from 'node:stream';
import { problemBody, Problem } from '../problems/problem.ts';
import { toProblem } from '../problems/render-problem.ts';
import type { RecordFormat } from './record-format.ts';
import { degradedParts } from './section-parts.ts';
import type { ViewSectionRun } from './view-section-run.ts';
import type { ViewRun } from './view-run.ts';

/** A section that has arrived, or what the answer ends with. */
type Arrival =
  | { readonly run: ViewSectionRun; readonly value: unknown }
  | { readonly problem: Problem }
  | 'done';

/**
 * The sections of a view as a stream of records, each as soon as it is there, then one that says how it ended:
 * `{"done":true}` with timings and degradations, or `{"problem":{…}}` because the head is long gone. Records
 * are made when the client takes them. A client that goes away cancels what is under way.
 */
export class ViewStream extends Readable {
  readonly #run: ViewRun;
  readonly #format: RecordFormat;
  readonly #arrived: Arrival[] = [];
  #missing: number;
  #wanted = false;
  #opened = false;

  constructor(run: ViewRun, format: RecordFormat) {
    super();
    this.#run = run;
    this.#format = format;
    const { names } = run.selection;
    this.#missing = names.length;
    for (const name of names) this.#follow(run.section(name));
    if (names.length === 0) this.#finish('done');
  }

  override _read(): void {
    this.#wanted = true;
    if (!this.#opened) this.#open();
    this.#write();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const isComplete = this.readableEnded || this.#missing < 0;
    if (!isComplete) this.#run.exchange.cancel(new Problem('client-closed'));
    done(error);
  }

  #follow(run: ViewSectionRun): void {
    run.shown().then(
      (value) => {
        if (this.#missing <= 0) return;
        this.#arrived.push({ run, value });
        this.#missing -= 1;
        if (this.#missing === 0) this.#finish('done');
        this.#write();
      },
      (error: unknown) => this.#refuse(error),
    );
  }

  #refuse(error: unknown): void {
    // The first reason counts; what it cancelled follows.
    if (this.#missing <= 0) return;
    const problem = toProblem(error);
    this.#finish({ problem });
    this.#run.exchange.problem ??= problem;
    this.#run.abandon(problem);
    this.#write();
  }

  #finish(last: Arrival): void {
    this.#missing = -1;
    this.#arrived.push(last);
  }

  /** The head goes out before the first section is there. */
  #open(): void {
    this.#opened = true;
    const { response } = this.#run.exchange;
    if (!response.headersSent) response.flushHeaders();
    if (this.#format.open !== '') this.#wanted = this.push(this.#format.open);
  }

  #write(): void {
    while (this.#wanted && !this.destroyed) {
      const next = this.#arrived.shift();
      if (next === undefined) return;
      const text = this.#recordOf(next);
      this.#run.exchange.bytesOut += Buffer.byteLength(text);
      this.#wanted = this.push(text);
      if (next === 'done' || 'problem' in next) {
        this.#wanted = false;
        this.push(null);
      }
    }
  }

  #recordOf(arrival: Arrival): string {
    const { record } = this.#format;
    if (arrival === 'done') return record('done', JSON.stringify(summaryOf(this.#run)));
    if ('problem' in arrival) {
      const problem = problemBody(arrival.problem, this.#run.exchange.id);
      return record('problem', JSON.stringify({ problem }));
    }
    const { run, value } = arrival;
    const degraded = degradedParts([run]);
    const data = { section: run.section.name, data: value };
    return record('section', JSON.stringify(degraded.length === 0 ? data : { ...data, degraded }));
  }
}

function summaryOf(run: ViewRun): object {
  const started = run.started();
  const timing =
    mayBeTold(run.exchange) &&
    Object.fromEntries(started.map(({ section, durationMs }) => [section.name, Math.round(durationMs)]));
  const degraded = degradedParts(started);
  if (degraded.length > 0) run.exchange.degraded = degraded;
  return { done: true, ...(timing && { timing }), ...(degraded.length === 0 ? {} : { degraded }) };
}
