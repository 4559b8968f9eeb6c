import type { Exchange } from '../../exchange/exchange.ts';
import type { Target } from '../target.ts';
import type { Upstream } from '../upstream.ts';
import { fieldsForTarget } from './outbound-metadata.ts';
import { timeoutText } from './unary-wire.ts';

/** A call of gRPC whose head is told. */
export interface ToldCall {
  readonly path: string;
  /** Names and values, flat; without the time that is left. */
  readonly fields: readonly string[];
  /** Time that it may take besides the deadline, in ms. Default any. */
  readonly limitMs?: number;
  /** Whose tokens are told. Default: none are. */
  readonly upstream?: Pick<Upstream, 'identity'> | undefined;
}

/** The head of a call of gRPC as text, for who operates the gateway: on the wire it is HTTP/2. */
export function headOfCall(
  exchange: Exchange,
  target: Target | undefined,
  { path, fields: all, limitMs = Infinity, upstream }: ToldCall,
): string {
  exchange.targetLabels = target?.labels;
  const fields = fieldsForTarget(all, exchange, upstream);
  const left = Math.min(exchange.remainingMs(), limitMs);
  let head = `POST ${path} HTTP/2\r\n`;
  for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return left === Infinity ? head : `${head}grpc-timeout: ${timeoutText(left)}\r\n`;
}
