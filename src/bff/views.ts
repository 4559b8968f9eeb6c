import { Injectable, StreamableFile } from '@nestjs/common';
import { Caller } from '../calls/caller.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { mayBeTold } from '../exchange/timings.ts';
import { keyFieldOf } from '../exchange/key-places.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { serverTimingOf } from './composition/composition-run.ts';
import type { Degradation } from './composition/section-run.ts';
import { cacheControlOf } from './composition/freshness.ts';
import { addToField, entityTagOf, matchesTag } from './response-fields.ts';
import { degradedParts, freshnessOf } from './section-parts.ts';
import { recordFormat, type RecordFormat } from './record-format.ts';
import { ViewGuards, type SectionFilters } from './view-guards.ts';
import { selectedFields } from './view-selection.ts';
import { ViewRun, type RunnableView, type ViewDeps } from './view-run.ts';
import { ViewStream } from './view-stream.ts';
import { ViewVariants } from './view-variants.ts';
import type { View, ViewValues } from './view.ts';

/** The body of a view over REST: the selected sections, and what is not as it should be. */
export type ViewBody<Of> = Partial<ViewValues<Of>> & {
  /** Absent when every section was served by its source. */
  degraded?: readonly Degradation[];
};

/** The body of a view that differs by kind of client. */
export type VariantBody<Of> = Of extends { readonly types?: { readonly values: infer Values } }
  ? Partial<Values> & Pick<ViewBody<never>, 'degraded'>
  : never;

/** The part of a Fastify reply that an answer needs. */
export interface ViewReply {
  code(status: number): unknown;
}

type AnyView<Input> = View<Input, object, string> | ViewVariants<Input, object, string, object>;

/** Runs views for exchanges. */
@Injectable()
export class Views {
  readonly deps: ViewDeps;
  readonly #guards: ViewGuards;

  constructor(caller: Caller, metrics: Metrics, guards: ViewGuards) {
    this.deps = { caller, metrics };
    this.#guards = guards;
  }

  /**
   * Starts a run of a view, in the shape for the kind of client if it has several; its sections start when they
   * are asked for. This is the GraphQL face.
   */
  start<Input, Results extends object, Nullable extends string>(
    view: View<Input, Results, Nullable>,
    input: Input,
    exchange: Exchange,
  ): ViewRun;
  start<Input, Results extends object, Nullable extends string, Kinds>(
    view: ViewVariants<Input, Results, Nullable, Kinds>,
    input: Input,
    exchange: Exchange,
  ): ViewRun;
  start(view: AnyView<unknown>, input: unknown, exchange: Exchange): ViewRun {
    return new ViewRun(chosen(view, exchange), input, exchange, this.deps);
  }

  /**
   * Runs a view whole, or the sections that `?fields=` selects, and returns the body. This is the REST face.
   * Adds `Server-Timing` with one metric per section, and `Cache-Control`: the minimum of what the calls allow,
   * `no-store` when one of them allows nothing or a section is degraded. What the types of its GraphQL face protect is
   * protected here too: masked, or `null` and listed under `degraded`.
   *
   * @throws {Problem} of a required section, with its path as the extension `section`; `request-invalid` for
   * unknown fields; the reason of the cancellation when the exchange is cancelled.
   */
  serve<Input, Results extends object, Nullable extends string>(
    view: View<Input, Results, Nullable>,
    input: Input,
    exchange: Exchange,
  ): Promise<ViewBody<View<Input, Results, Nullable>>>;
  serve<Input, Results extends object, Nullable extends string, Kinds>(
    view: ViewVariants<Input, Results, Nullable, Kinds>,
    input: Input,
    exchange: Exchange,
  ): Promise<VariantBody<ViewVariants<Input, Results, Nullable, Kinds>>>;
  async serve(view: AnyView<unknown>, input: unknown, exchange: Exchange): Promise<object> {
    const starting = this.#run(view, input, exchange);
    // The sections start at once where nothing has to be waited for.
    const run = starting instanceof Promise ? await starting : starting;
    const body = await run.values();
    announce(run, body);
    return body;
  }

  /**
   * Answers with what {@link serve} returns, or section by section where `Accept` prefers
   * `application/x-ndjson` or `text/event-stream`. A body that may be kept has an `ETag`, and is not sent again
   * to who has it, unless a policy edits it first.
   *
   * @returns what the handler returns; the handler takes its reply with `passthrough`.
   */
  answer<Input, Results extends object, Nullable extends string>(
    view: View<Input, Results, Nullable>,
    input: Input,
    exchange: Exchange,
    reply: ViewReply,
  ): Promise<ViewBody<View<Input, Results, Nullable>> | StreamableFile | undefined>;
  answer<Input, Results extends object, Nullable extends string, Kinds>(
    view: ViewVariants<Input, Results, Nullable, Kinds>,
    input: Input,
    exchange: Exchange,
    reply: ViewReply,
  ): Promise<VariantBody<ViewVariants<Input, Results, Nullable, Kinds>> | StreamableFile | undefined>;
  async answer(
    view: AnyView<unknown>,
    input: unknown,
    exchange: Exchange,
    reply: ViewReply,
  ): Promise<object | undefined> {
    const format = streamedFormat(exchange);
    const starting = this.#run(view, input, exchange);
    const run = starting instanceof Promise ? await starting : starting;
    addToField(exchange.responseHeaders, 'vary', 'accept');
    if (format !== undefined) return streamed(run, format);
    const body = await run.values();
    // A tag of what is masked later would tell of it to whoever guesses, and hold while the mask changes.
    if (!announce(run, body) || editsBody(exchange)) return body;
    const tag = entityTagOf(body);
    exchange.responseHeaders.push('etag', tag);
    // A cache wants all of it, and says 304 itself.
    const isWanted = exchange.recording !== undefined;
    if (isWanted || !matchesTag(exchange.request.headers['if-none-match'], tag)) return body;
    reply.code(NOT_MODIFIED);
    return undefined;
  }

  #run(of: AnyView<unknown>, input: unknown, exchange: Exchange): ViewRun | Promise<ViewRun> {
    const view = chosen(of, exchange);
    const selection = selectedFields(view, exchange.query);
    const start = (filters: SectionFilters | undefined): ViewRun =>
      new ViewRun(view, input, exchange, this.deps, {
        selection,
        within: undefined,
        endsAt: Infinity,
        filters,
      });
    const filters = this.#guards.of(view)?.filtersFor(exchange, selection);
    return filters instanceof Promise ? filters.then(start) : start(filters);
  }
}

const NOT_MODIFIED = 304;

/** The view that the client of an exchange sees; caches are told what it was chosen by. */
function chosen(of: AnyView<unknown>, exchange: Exchange): RunnableView {
  if (!(of instanceof ViewVariants)) return of;
  if (of.by.vary !== undefined) addToField(exchange.responseHeaders, 'vary', of.by.vary);
  return of.for(exchange);
}

/** Whether a policy of the route edits what leaves, once it is whole. */
function editsBody({ route }: Exchange): boolean {
  return route?.leaving.some((stage) => stage.body !== undefined) === true;
}

/** How sections are written one by one; undefined for one JSON body. */
function streamedFormat(exchange: Exchange): RecordFormat | undefined {
  if (exchange.method !== 'GET') return undefined;
  // Fails closed: a policy that edits bodies, such as a mask, knows whole ones only.
  if (editsBody(exchange)) return undefined;
  return recordFormat(exchange.request.headers.accept);
}

function streamed(run: ViewRun, format: RecordFormat): StreamableFile {
  // Nobody knows yet whether the answer will be whole, and nothing between us and the client may gather it.
  run.exchange.responseHeaders.push('cache-control', 'no-store, no-transform', 'x-accel-buffering', 'no');
  return new StreamableFile(new ViewStream(run, format), { type: format.contentType });
}

/** Adds the header fields and the degradations to an answer; tells whether it may be kept. */
function announce(run: ViewRun, body: Record<string, unknown>): boolean {
  const { exchange } = run;
  const started = run.started();
  if (mayBeTold(exchange)) exchange.responseHeaders.push('server-timing', serverTimingOf(started));
  const degraded = degradedParts(started);
  if (degraded.length > 0) exchange.degraded = body['degraded'] = degraded;
  const cacheControl =
    degraded.length > 0 ? NO_STORE : cacheControlOf(freshnessOf(started), exchange, run.isGuarded);
  exchange.responseHeaders.push('cache-control', cacheControl);
  if (cacheControl === NO_STORE) return false;
  // What one principal has kept must not be shown to the next one that uses the same client.
  if (exchange.principal !== undefined) {
    addToField(exchange.responseHeaders, 'vary', `authorization, ${keyFieldOf(exchange)}, cookie`);
  }
  return true;
}

const NO_STORE = 'no-store';
