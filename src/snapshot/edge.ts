import type { IncomingMessage } from 'node:http';
import type { AddressDoubt, Exchange, ExchangeOpening } from '../exchange/exchange.ts';
import type { KeyPlaces } from '../exchange/key-places.ts';
import type { Seats } from '../policies/seats.ts';
import type { Stage } from '../policies/stage.ts';
import type { SpanLog } from '../telemetry/span-log.ts';
import type { TraceContext, TracedExchange } from '../telemetry/trace-context.ts';
import type { GatewayConfig } from '../routing/gateway.schema.ts';

/** Writes the access line of an exchange that has closed, with its line break; undefined for one that is not kept. */
export type AccessLines = (exchange: Exchange, durationMs: number, complete: boolean) => string | undefined;

/** What is decided about a request before its route is looked for, as one configuration says. */
export interface Edge {
  /** Where requests come from, as far as trusted proxies vouch for it. */
  readonly clientAddress: {
    of(
      request: IncomingMessage,
    ): Pick<ExchangeOpening, 'clientAddress' | 'scheme'> & { readonly doubt?: AddressDoubt | undefined };
    /** Whether an address is one of a trusted proxy: of those, connections are not counted. */
    isTrusted(address: string): boolean;
  };
  /** Tells how long an address has to wait, in ms; 0 for not at all. */
  readonly flood:
    | {
        waitMs(clientAddress: string): number;
        /** The same without counting anything. */
        wouldWaitMs(clientAddress: string): number;
      }
    | undefined;
  /** How many connections an address may have; undefined for no limit. */
  readonly connections: { readonly perAddress: number } | undefined;
  /** Where API keys are, where that is not the usual field. */
  readonly keyPlaces: KeyPlaces | undefined;
  /** How access lines are written; undefined for the usual line of every exchange. */
  readonly accessLines: AccessLines | undefined;
  /** How traces begin and end; undefined where they pass as they come. */
  readonly tracing:
    | {
        begin(request: IncomingMessage, watch?: SpanLog): TraceContext;
        follow(exchange: TracedExchange): void;
      }
    | undefined;
  /** The stages that every request meets. */
  readonly entrance: readonly Stage[];
  /** What the defaults say about requests that no route takes, or none yet. */
  readonly unrouted: Pick<Seats, 'heads' | 'preflight'>;
}

/** Compiles the edge of a configuration. @throws {Error} with a message for the operator, when its options make no sense. */
export type EdgeCompiler = (config: GatewayConfig) => Edge;

/** Injection token of the {@link EdgeCompiler}, which whoever opens exchanges brings. */
export const EDGE_COMPILER = Symbol('EDGE_COMPILER');

/** For applications that open no exchanges. Fails closed: nobody may come in by it. */
export const NO_EDGE: Edge = Object.freeze({
  clientAddress: {
    of(): never {
      throw new Error('there is no edge; import PipelineModule');
    },
    isTrusted: () => false,
  },
  flood: undefined,
  connections: undefined,
  keyPlaces: undefined,
  accessLines: undefined,
  tracing: undefined,
  entrance: [],
  unrouted: Object.freeze({ heads: { answers: [], all: [], passRest: true }, preflight: [] }),
});
