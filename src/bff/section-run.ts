import type { Call, ServedPart } from '../clients/call.ts';
import type { Exchange } from '../exchange/exchange.ts';
import {
  SectionRun as ComposedSectionRun,
  type SectionHost as ComposedSectionHost,
} from '../upstreams/composition/section-run.ts';
import type { ErasedScope, Section } from './section.ts';

/** What a section of a view needs of the run that it belongs to. */
export interface SectionHost extends ComposedSectionHost {
  readonly input: unknown;
  /** The result of a section that `asking` may depend on. */
  resultFor(asking: Section, name: string): Promise<unknown>;
  /** @param served hears when the fallback of the call itself stood in. */
  call<In, Out>(
    call: Call<In, Out>,
    input: In,
    timeoutMs: number,
    served?: (part: ServedPart) => void,
  ): Promise<Out>;
}

/** One section of one run of a view; it is the scope that its source sees. */
export class SectionRun extends ComposedSectionRun<Section> implements ErasedScope {
  readonly #host: SectionHost;

  constructor(section: Section, host: SectionHost) {
    super(section, host);
    this.#host = host;
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
      return this.#host.call(call, input, this.remainingMs(), served);
    };
  }

  protected override load(): unknown {
    return this.section.load(this);
  }

  /** A section that shows the fallback of a call is degraded like one that shows its own. */
  #served({ source, code }: ServedPart): void {
    if (this.hasEnded || source !== 'fallback' || code === undefined) return;
    this.degradation = { section: this.section.name, code, via: 'fallback' };
  }
}
