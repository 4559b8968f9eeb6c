import type {
  DescMessage,
  DescMethodServerStreaming,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { timerDuration } from '../config/units.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { CallDescription, Transports } from './call.ts';
import type { Duration } from './call-plan.ts';

/** What a run of a streamed call needs to know. */
export interface StreamContext {
  /** Whom it serves; the stream ends with it. */
  readonly exchange: Exchange;
}

/** What a call of a server stream may say about itself. */
export interface StreamOptions<Message, Value> {
  /**
   * Makes something of each message, or checks it; the message itself by default.
   *
   * @throws {Error} for one that cannot be used; the stream then ends with `upstream-response-invalid`.
   */
  readonly decode?: (message: Message) => Value;
  /** It may be made twice without harm, so that another target is asked when one fails before it has opened. */
  readonly idempotent?: boolean;
  /** Longest silence; it then ends with `upstream-timeout`. No limit by default: the keepalive of the channel watches. */
  readonly idle?: Duration;
}

/**
 * A typed operation of an upstream that answers with a stream: a frozen description with no state. There is nothing
 * to merge or keep: each run has a stream of its own, with the identity of its exchange.
 */
export interface StreamCall<In, Out> {
  /** `notifications.watch` style, unique. */
  readonly name: string;
  readonly upstream: string;
  readonly description: Pick<CallDescription, 'name' | 'upstream' | 'protocol' | 'operation'>;
  /** Makes a run; the upstream is asked when the first value is. */
  open(transports: Transports, input: In, context: StreamContext): AsyncIterableIterator<Out, undefined>;
}

/**
 * Declares a call of a server stream.
 *
 * @throws {Error} naming the call when an option makes no sense. Calls are declared at module level: this is at boot.
 */
export function declareStream<In extends DescMessage, Out extends DescMessage, Value>(
  upstream: string,
  name: string,
  method: DescMethodServerStreaming<In, Out>,
  options: StreamOptions<MessageShape<Out>, Value>,
): StreamCall<MessageInitShape<In>, Value> {
  const { idempotent, idle } = options;
  // Without a decoder, `Value` is the message.
  const decode = options.decode ?? ((message: MessageShape<Out>) => message as Value);
  const idleMs = idle === undefined ? Infinity : idleOf(name, idle);
  const operation = `${method.parent.typeName}/${method.name}`;
  return Object.freeze({
    name,
    upstream,
    description: Object.freeze({ name, upstream, protocol: 'grpc' as const, operation }),
    open: ({ upstreams, grpc }, input, { exchange }) =>
      grpc.serverStream(upstreams.of(exchange, upstream), method, input, {
        exchange,
        idempotent,
        idleMs,
        decode,
      }),
  } satisfies StreamCall<MessageInitShape<In>, Value>);
}

function idleOf(name: string, text: string): number {
  const parsed = timerDuration.safeParse(text);
  if (parsed.success && parsed.data > 0) return parsed.data;
  throw new Error(`the call ${name}: \`idle\`: expected a duration such as 30s, got "${text}"`);
}
