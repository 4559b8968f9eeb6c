import { AddressBlocks } from '../exchange/address-blocks.ts';
import type { OtelEnvironment, Propagator } from '../config/otel-environment.ts';
import type { TracingOptions } from './tracing.schema.ts';
import { thresholdOf } from './sampling.ts';

/** What holds for one route, or for all that say nothing. */
export interface RouteRules {
  /** From where on a trace that begins here is sampled; undefined for never. */
  readonly threshold: string | undefined;
  /** Whether faults are always kept. */
  readonly errors: boolean;
}

/** What one configuration says of traces, together with the environment. Frozen. */
export interface TracingRules extends RouteRules {
  readonly followsParent: boolean;
  /** In ms; `Infinity`: nothing is kept for being slow. */
  readonly slowMs: number;
  readonly routes: ReadonlyMap<string, RouteRules>;
  readonly accept: { readonly w3c: boolean; readonly b3: boolean };
  readonly send: { readonly w3c: boolean; readonly b3: boolean; readonly b3multi: boolean };
  readonly baggage: ReadonlySet<string>;
  /** Whether a peer's trace is gone on with. */
  trusts(peer: string): boolean;
  readonly shown: ShownRules;
}

/** What spans may show of what a client or a service has said; names in lower case. */
export interface ShownRules {
  readonly query: ReadonlySet<string>;
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
}

const NOTHING: TracingOptions = {
  errors: true,
  routes: {},
  baggage: [],
  query: [],
  requestHeaders: [],
  responseHeaders: [],
};
const USUAL: readonly Propagator[] = ['tracecontext', 'baggage'];

/**
 * Compiles what is said of traces.
 *
 * @param options of the file; undefined where it says nothing.
 * @param otel of the environment; undefined where spans are not exported.
 * @param isTrusted tells the trusted proxies.
 */
export function compileRules(
  options: TracingOptions = NOTHING,
  otel: OtelEnvironment | undefined,
  isTrusted: (peer: string) => boolean,
): TracingRules {
  const { errors, routes, slow = Infinity, trust } = options;
  const threshold = thresholdOf(options.ratio ?? otel?.ratio ?? 1);
  const spoken = otel?.propagators ?? USUAL;
  return Object.freeze({
    threshold,
    errors,
    slowMs: slow,
    followsParent: options.parent === undefined ? (otel?.followsParent ?? true) : options.parent === 'follow',
    routes: new Map(
      Object.entries(routes).map(([id, own]) => [
        id,
        {
          threshold: own.ratio === undefined ? threshold : thresholdOf(own.ratio),
          errors: own.errors ?? errors,
        },
      ]),
    ),
    accept: acceptOf(options.accept, spoken),
    send: sendOf(options.send, spoken),
    baggage: new Set(spoken.includes('baggage') ? options.baggage : []),
    trusts: trustOf(trust, isTrusted),
    shown: {
      query: new Set(options.query),
      requestHeaders: lowered(options.requestHeaders),
      responseHeaders: lowered(options.responseHeaders),
    },
  });
}

function acceptOf(said: TracingOptions['accept'], spoken: readonly Propagator[]): TracingRules['accept'] {
  const isB3 = spoken.includes('b3') || spoken.includes('b3multi');
  const [w3c, b3] =
    said === undefined
      ? [spoken.includes('tracecontext'), isB3]
      : [said.includes('w3c'), said.includes('b3')];
  return { w3c, b3 };
}

function sendOf(said: TracingOptions['send'], spoken: readonly Propagator[]): TracingRules['send'] {
  if (said !== undefined)
    return { w3c: said.includes('w3c'), b3: said.includes('b3'), b3multi: said.includes('b3multi') };
  return {
    w3c: spoken.includes('tracecontext'),
    b3: spoken.includes('b3'),
    b3multi: spoken.includes('b3multi'),
  };
}

function trustOf(
  trust: TracingOptions['trust'],
  isTrusted: (peer: string) => boolean,
): TracingRules['trusts'] {
  if (trust === undefined) return isTrusted;
  if (trust === 'all') return () => true;
  // Fails closed: whoever is not named can neither flood the collector nor hide in somebody else's trace.
  if (trust === 'none') return () => false;
  const blocks = new AddressBlocks(trust);
  return (peer) => blocks.has(peer);
}

function lowered(names: readonly string[]): readonly string[] {
  return names.map((name) => name.toLowerCase());
}
