import type { Exchange, SocketFacts } from '../exchange/exchange.ts';

const FIRST_FAULT_STATUS = 500;

/** Those that say a server has failed (semantic conventions for RPC). */
const GRPC_FAULTS: ReadonlySet<string> = new Set([
  'UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS',
]); // prettier-ignore

/** Those by which a service says that it has failed (RFC 6455 section 7.4.1, and the registry of IANA): internal, gateway. */
const SOCKET_FAULTS: ReadonlySet<number> = new Set([1011, 1014]);
/** An end without a word. */
const ABNORMAL = 1006;

/** What `error.type` says where an exchange is a fault of ours or of a service; undefined for a client's fault, and for none. */
export function exchangeFault(exchange: Exchange): string | undefined {
  const { status, problem, cancelled, grpcStatus, socket } = exchange;
  if (grpcStatus !== undefined && GRPC_FAULTS.has(grpcStatus)) return grpcStatus;
  const said = problem ?? cancelled;
  if (said !== undefined && said.status >= FIRST_FAULT_STATUS) return said.code;
  if (status >= FIRST_FAULT_STATUS) return String(status);
  return socket === undefined ? undefined : socketFault(socket);
}

/** The code of a WebSocket that has ended badly, and not by its client. */
function socketFault({ by, code }: SocketFacts): string | undefined {
  if (by === 'client') return undefined;
  const isFault = SOCKET_FAULTS.has(code) || (by === 'upstream' && code === ABNORMAL);
  return isFault ? String(code) : undefined;
}
