import { Injectable } from '@nestjs/common';
import { Caller } from '../clients/caller.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { degradationsOf, serverTimingOf } from '../upstreams/composition/composition-run.ts';
import type { Degradation } from '../upstreams/composition/section-run.ts';
import { selectedFields } from './view-fields.ts';
import { ViewRun, type ViewParts } from './view-run.ts';
import type { View, ViewValues } from './view.ts';

/** The body of a view over REST: the selected sections, and what is not as it should be. */
export type ViewBody<Of> = Partial<ViewValues<Of>> & {
  /** Absent when every section was served by its source. */
  degraded?: readonly Degradation[];
};

/** Runs views for exchanges. */
@Injectable()
export class Views {
  readonly #parts: ViewParts;

  constructor(caller: Caller, metrics: Metrics) {
    this.#parts = { caller, metrics };
  }

  /** Starts a run; its sections start when they are asked for. This is the GraphQL face. */
  start<Input, Results extends object, Nullable extends string>(
    view: View<Input, Results, Nullable>,
    input: Input,
    exchange: Exchange,
  ): ViewRun {
    return new ViewRun(view, input, exchange, this.#parts);
  }

  /**
   * Runs a view whole, or the sections that `?fields=` selects, and returns the body. This is the REST face.
   * Adds `Server-Timing` with one metric per section, and `Cache-Control: no-store` when a section is degraded.
   *
   * @throws {Problem} of a required section, with its name as the extension `section`; `request-invalid` for
   * unknown fields; the reason of the cancellation when the exchange is cancelled.
   */
  async serve<Input, Results extends object, Nullable extends string>(
    view: View<Input, Results, Nullable>,
    input: Input,
    exchange: Exchange,
  ): Promise<ViewBody<View<Input, Results, Nullable>>> {
    const names = selectedFields(view, exchange.query);
    const run = new ViewRun(view, input, exchange, this.#parts);
    const values = await run.shown(names.map((name) => run.section(name)));
    const body: Record<string, unknown> = {};
    names.forEach((name, index) => (body[name] = values[index]));
    announce(run, body);
    return body as ViewBody<View<Input, Results, Nullable>>;
  }
}

function announce(run: ViewRun, body: Record<string, unknown>): void {
  const started = run.started();
  run.exchange.responseHeaders.push('server-timing', serverTimingOf(started));
  const degraded = degradationsOf(started);
  if (degraded.length === 0) return;
  body['degraded'] = degraded;
  run.exchange.responseHeaders.push('cache-control', 'no-store');
}
