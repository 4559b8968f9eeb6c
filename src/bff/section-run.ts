import { Problem } from '../problems/problem.ts';
import type { Call, ServedPart } from '../clients/call.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Degradation, ErasedScope, Section } from './section.ts';

/** How a section ended, as the metrics count it. */
export type SectionOutcome = 'ok' | 'fallback' | 'null' | 'failed';

/** What a section needs of the run that it belongs to. */
export interface SectionHost {
  readonly input: unknown;
  readonly exchange: Exchange;
  /** The result of a section that `asking` may depend on. */
  resultFor(asking: Section, name: string): Promise<unknown>;
  /** @param served hears when the fallback of the call itself stood in. */
  call<In, Out>(
    call: Call<In, Out>,
    input: In,
    timeoutMs: number,
    served?: (part: ServedPart) => void,
  ): Promise<Out>;
  ended(run: SectionRun, outcome: SectionOutcome): void;
  /** Reports an error that is no problem: a defect of the view. */
  defect(section: Section, error: unknown): void;
}

/** One section of one run: starts its source once, keeps its budget, and stands in for it. */
export class SectionRun implements ErasedScope {
  readonly section: Section;
  /** What the source returned, or the fallback; rejects with a problem when there is neither. */
  readonly result: Promise<unknown>;
  /** Set when the source failed and the section did not have to be there. */
  degradation: Degradation | undefined = undefined;
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

  get input(): unknown {
    return this.#host.input;
  }

  get exchange(): Exchange {
    return this.#host.exchange;
  }

  get get(): (name: string) => Promise<unknown> {
    return (name) => this.#host.resultFor(this.section, name);
  }

  get call(): <In, Out>(call: Call<In, Out>, input: In) => Promise<Out> {
    return (call, input) => {
      const served = call.plan?.fallback === undefined ? undefined : (part: ServedPart) => this.#served(part);
      return this.#host.call(call, input, this.#remainingMs(), served);
    };
  }

  /** Starts source and budget. */
  start(): void {
    const { budgetMs } = this.section;
    if (budgetMs !== Infinity) this.#timer = setTimeout(expire, budgetMs, this);
    try {
      const loaded = this.section.load(this);
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
    if (this.section.required) return this.#refuse(this.#named(problem), 'failed');
    if (this.section.fallback === undefined) {
      this.degradation = { section: this.section.name, code: problem.code, via: 'null' };
      return this.#refuse(problem, 'null');
    }
    this.#standIn(this.section.fallback, problem);
  }

  #standIn(fallback: () => unknown, problem: Problem): void {
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

  /** A section that shows the fallback of a call is degraded like one that shows its own. */
  #served({ source, code }: ServedPart): void {
    if (this.#ended || source !== 'fallback' || code === undefined) return;
    this.degradation = { section: this.section.name, code, via: 'fallback' };
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

  #remainingMs(): number {
    const { budgetMs } = this.section;
    return budgetMs === Infinity ? Infinity : Math.max(0, budgetMs - (performance.now() - this.#startedAt));
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
