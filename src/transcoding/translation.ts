import type { Exchange } from '../exchange/exchange.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { IncomingEdit } from '../policies/incoming-edit.ts';
import type { Stage } from '../policies/stage.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { Binding } from './binding.ts';

/** Edits the JSON of an answer, or of one message of it, on its way out. */
export type EditJson = (json: unknown) => unknown;

/** One exchange that is to be translated. */
export interface Translation {
  readonly exchange: Exchange;
  readonly upstream: Upstream;
  readonly binding: Binding;
  readonly sink: AnswerSink;
  readonly edit?: EditJson | undefined;
  /** Edits the JSON of the request, or of each message of it. */
  readonly incoming?: IncomingEdit | undefined;
  /** Look at each message of a request that comes line by line or over a WebSocket, before it is edited. */
  readonly lines?: readonly Stage[] | undefined;
  /** Largest body of the request, in bytes; default 4 MiB for one message, none for a stream of them. */
  readonly maxBodyBytes?: number | undefined;
}
