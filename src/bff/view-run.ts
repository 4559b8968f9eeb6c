import { Logger } from '@nestjs/common';
import type { Call, ServedPart } from '../clients/call.ts';
import type { Caller } from '../clients/caller.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { CompositionRun } from '../upstreams/composition/composition-run.ts';
import { SectionRun, type SectionHost } from './section-run.ts';
import type { Section } from './section.ts';

/** What every run needs; made once. */
export interface ViewParts {
  readonly caller: Caller;
  readonly metrics: Metrics;
}

/** The part of a view that a run uses; its types are erased, the face in front has checked them. */
export interface RunnableView {
  readonly name: string;
  readonly sections: readonly Section[];
  indexOf(name: string): number | undefined;
}

const logger = new Logger('View');

/** One run of a view for one exchange. */
export class ViewRun extends CompositionRun<SectionRun> implements SectionHost {
  readonly view: RunnableView;
  readonly input: unknown;
  readonly #parts: ViewParts;

  constructor(view: RunnableView, input: unknown, exchange: Exchange, parts: ViewParts) {
    super({ name: view.name, size: view.sections.length, exchange, metrics: parts.metrics });
    this.view = view;
    this.input = input;
    this.#parts = parts;
  }

  /**
   * Returns the run of a section, and starts it on first use.
   *
   * @throws {Error} when the view has no such section: a defect of the caller.
   */
  section(name: string): SectionRun {
    const index = this.view.indexOf(name);
    if (index === undefined) throw new Error(`the view ${this.view.name} has no section "${name}"`);
    return this.at(index);
  }

  resultFor(asking: Section, name: string): Promise<unknown> {
    const index = this.view.indexOf(name);
    if (index === undefined || index >= asking.index) {
      // Types forbid it; without types this is what keeps a run free of cycles.
      throw new Error(
        `section "${asking.name}" of the view ${this.view.name} asks for "${name}", which is not declared before it`,
      );
    }
    return this.at(index).result;
  }

  call<In, Out>(
    call: Call<In, Out>,
    input: In,
    timeoutMs: number,
    served?: (part: ServedPart) => void,
  ): Promise<Out> {
    return this.#parts.caller.call(call, input, { exchange: this.exchange, timeoutMs, served });
  }

  override defect(section: Section, error: unknown): void {
    const stack = error instanceof Error ? error.stack : undefined;
    const text = `exchange ${this.exchange.id}: section "${section.name}" of the view ${this.view.name}: ${String(error)}`;
    logger.error(text, stack);
  }

  protected override create(index: number): SectionRun {
    return new SectionRun(this.view.sections[index] as Section, this);
  }
}
