import type { Exchange } from '../../exchange/exchange.ts';
import type { ProblemCode } from '../../problems/catalogue.ts';
import { Problem } from '../../problems/problem.ts';
import type { SpanNote } from '../../telemetry/span-log.ts';
import { isCodeDefect } from './code-defect.ts';

/** How a section ended, as the metrics count it. */
export type SectionOutcome = 'ok' | 'fallback' | 'null' | 'failed';

/** One section that was not served by its source. */
export interface Degradation {
  readonly section: string;
  /** Why: the code of the problem that the source ended with. */
  readonly code: ProblemCode;
  /** What the client got instead. */
  readonly via: 'fallback' | 'null';
}

/** What a call was served with, and why when that was not its upstream's answer. */
export interface StandIn {
  readonly source: string;
  readonly code?: ProblemCode;
}

/** What a run must know of a section of a composed answer. */
export interface SectionPlan {
  readonly name: string;
  /** Whether the whole answer is worth nothing without it. */
  readonly required: boolean;
  /** In ms; `Infinity` without a budget. */
  readonly budgetMs: number;
  /** Makes what stands in when the source fails. */
  readonly fallback: (() => unknown) | undefined;
}

/** What a section needs of the run that it belongs to. */
export interface SectionHost {
  readonly exchange: Exchange;
  ended(run: SectionRun, outcome: SectionOutcome): void;
  /** Reports an error that is no problem: a defect of the definition. */
  defect(section: SectionPlan, error: unknown): void;
}

/**
 * One section of one run of a composed answer: starts its source once, keeps its budget, and stands in for it.
 * Views and aggregated routes run their parts with it, so that both degrade in the same way.
 */
export abstract class SectionRun<Section extends SectionPlan = SectionPlan> {
  readonly section: Section;
  /** What the source returned, or the fallback; rejects with a problem when there is neither. */
  readonly result: Promise<unknown>;
  /** Set when the source failed, or a fallback of its own stood in, and the section did not have to be there. */
  degradation: Degradation | undefined = undefined;
  /** What is noted of it for its span; undefined where nobody reads that. Written by the run that it belongs to. */
  span: SpanNote | undefined = undefined;
  /** Time until the section ended; 0 until then. */
  durationMs = 0;
  readonly #host: SectionHost;
  readonly #startedAt = performance.now();
  #timer: NodeJS.Timeout | undefined = undefined;
  #ended = false;
  #resolve!: (value: unknown) => void;
  #reject!: (problem: Problem) => void;

  constructor(section: Section, host: SectionHost) {
    this.section = section;
    this.#host = host;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever asks for the section sees the rejection; a section that nobody waits for must not end the process.
    this.result.catch(ignore);
  }

  /** Whether nothing that still comes from the source counts. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Starts source and budget. */
  start(): void {
    const { budgetMs } = this.section;
    if (budgetMs !== Infinity) this.#timer = setTimeout(expire, budgetMs, this);
    try {
      const loaded = this.load();
      if (!(loaded instanceof Promise)) return this.#succeed(loaded);
      loaded.then(
        (value: unknown) => this.#succeed(value),
        (error: unknown) => this.fail(error),
      );
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends the section without its source. What comes later from the source is ignored. */
  fail(error: unknown): void {
    if (this.#ended) return;
    // What a call of its own was served with is no longer what the section shows.
    this.degradation = undefined;
    const { cancelled } = this.#host.exchange;
    if (cancelled !== undefined) return this.#refuse(cancelled, 'failed');
    const problem = this.#problemOf(error);
    // A defect of the code is no fault of an upstream: what stands in would hide it for good.
    if (this.section.required || isCodeDefect(problem)) return this.#refuse(this.#named(problem), 'failed');
    if (this.section.fallback === undefined) {
      this.degradation = { section: this.section.name, code: problem.code, via: 'null' };
      return this.#refuse(problem, 'null');
    }
    this.#fallBack(this.section.fallback, problem);
  }

  /** The value to show: `null` for a section that failed alone; rejects when it had to be there. */
  shown(): Promise<unknown> {
    if (this.section.required || this.section.fallback !== undefined) return this.result;
    return this.result.catch((problem: unknown) => {
      if (this.degradation === undefined) throw problem;
      return null;
    });
  }

  /** What is left of the budget, in ms; `Infinity` without one. */
  remainingMs(): number {
    const { budgetMs } = this.section;
    return budgetMs === Infinity ? Infinity : Math.max(0, budgetMs - (performance.now() - this.#startedAt));
  }

  /** Takes note of what a call of its own was served with: a section that shows a stand-in is degraded. */
  protected standIn({ source, code }: StandIn): void {
    if (code === undefined || (source !== 'fallback' && source !== 'stale')) return;
    this.degradation = { section: this.section.name, code, via: 'fallback' };
  }

  /** Starts the source; answers with a value or a promise of it. */
  protected abstract load(): unknown;

  #fallBack(fallback: () => unknown, problem: Problem): void {
    try {
      const value = fallback();
      this.degradation = { section: this.section.name, code: problem.code, via: 'fallback' };
      this.#end('fallback');
      this.#resolve(value);
    } catch (error) {
      this.#refuse(this.#named(this.#problemOf(error)), 'failed');
    }
  }

  #succeed(value: unknown): void {
    if (this.#ended) return;
    this.#end(this.degradation === undefined ? 'ok' : 'fallback');
    this.#resolve(value);
  }

  #refuse(problem: Problem, outcome: SectionOutcome): void {
    this.#end(outcome);
    this.#reject(problem);
  }

  #end(outcome: SectionOutcome): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.durationMs = performance.now() - this.#startedAt;
    this.#host.ended(this, outcome);
  }

  #problemOf(error: unknown): Problem {
    if (error instanceof Problem) return error;
    this.#host.defect(this.section, error);
    return new Problem('internal', { cause: error });
  }

  /** The same problem, naming the section that it came from: this one, or the one it depends on. */
  #named(problem: Problem): Problem {
    if (problem.extensions?.['section'] !== undefined) return problem;
    return new Problem(problem.code, {
      ...(problem.detail === undefined ? {} : { detail: problem.detail }),
      ...(problem.headers === undefined ? {} : { headers: problem.headers }),
      extensions: { ...problem.extensions, section: this.section.name },
      cause: problem,
      by: problem.by,
    });
  }
}

function expire(run: SectionRun): void {
  const { name, budgetMs } = run.section;
  run.fail(
    new Problem('upstream-timeout', { detail: `The section ${name} took longer than ${budgetMs} ms.` }),
  );
}

function ignore(): void {}
