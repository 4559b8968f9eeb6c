import type { Exchange } from '../exchange/exchange.ts';
import type { Stage } from '../policies/stage.ts';
import { Problem } from '../problems/problem.ts';
import { ClientEnd } from '../sockets/byte-end.ts';
import { EXPIRED, endWithCredential } from '../sockets/credential-end.ts';
import { CloseCode, revocationCode } from '../sockets/live-socket.ts';
import type { OpenedStream } from '../sockets/socket-offer.ts';
import { SocketTunnel, type TunnelHost } from '../sockets/socket-tunnel.ts';
import { socketOpened } from '../sockets/upgrades.ts';
import type { UpgradedSocket } from '../upstreams/transport/http1/upgraded-socket.ts';
import type { ForwardedHandshake } from './forwarded-sockets.ts';

/** How soon a message that waits for a store is looked at again. */
const STORE_RETRY_MS = 1000;

/** Joins a client and a service whose handshakes are done; to be started. Its exchange closes with it. */
export function openTunnel(
  asked: ForwardedHandshake,
  opened: OpenedStream,
  upstream: UpgradedSocket,
  isCompressed: boolean,
): SocketTunnel {
  const { exchange, options } = asked;
  const tunnel = new SocketTunnel(
    { client: new ClientEnd(opened), upstream },
    {
      isCompressed,
      maxMessageBytes: options.maxMessage,
      maxFrameBytes: options.maxFrame ?? options.maxMessage,
      idleMs: options.idle,
      pingMs: options.ping === 'off' ? Infinity : options.ping,
      stalledMs: asked.upstream.options.timeouts.idle,
    },
    hostOf(asked),
  );
  tunnel.after(options.maxAge, CloseCode.restart, 'Too old');
  const forget = endWithCredential(exchange, () => tunnel.close(CloseCode.unauthorized, EXPIRED));
  exchange.onCancel((reason) => {
    const code = revocationCode(reason);
    if (code === undefined) return;
    exchange.problem ??= reason;
    tunnel.close(code, reason.code);
  });
  const closed = socketOpened(exchange);
  tunnel.once('close', () => {
    forget();
    note(tunnel, exchange);
    closed();
  });
  return tunnel;
}

function note({ by = 'gateway', code, up, down }: SocketTunnel, exchange: Exchange): void {
  exchange.bytesOut += down.bytes;
  exchange.socket = {
    by,
    code,
    in: { messages: up.messages, bytes: up.bytes },
    out: { messages: down.messages, bytes: down.bytes },
  };
  exchange.route?.metrics.socketEnded(code);
}

function hostOf({ exchange, route, options }: ForwardedHandshake): TunnelHost {
  return {
    charge: chargeOf(route.stages, exchange),
    passed: (from, messages, bytes) => route.metrics.socketPassed(from, messages, bytes),
    refused: (error) => {
      const problem = error instanceof Problem ? error : new Problem('internal', { cause: error });
      // Nobody waits for another day.
      if (options.onLimit === 'wait' && problem.code !== 'quota-exceeded') {
        const waitMs = problem.extensions?.['retryAfterMs'];
        if (typeof waitMs === 'number') return Math.max(1, waitMs);
        if (isUnavailable(problem)) return STORE_RETRY_MS;
      }
      exchange.problem ??= problem;
      return { code: closeCodeOf(problem), reason: problem.code };
    },
  };
}

function closeCodeOf(problem: Problem): number {
  if (problem.code === 'rate-limited' || problem.code === 'quota-exceeded') return CloseCode.policy;
  return isUnavailable(problem) ? CloseCode.tryAgainLater : CloseCode.internal;
}

function isUnavailable({ code }: Problem): boolean {
  return code === 'limiter-unavailable' || code === 'quota-unavailable';
}

/** What a message of the client costs; undefined for nothing. */
function chargeOf(stages: readonly Stage[], exchange: Exchange): TunnelHost['charge'] {
  const charging = stages.filter(({ message }) => message !== undefined);
  const [only] = charging;
  if (only === undefined) return undefined;
  if (charging.length === 1) return () => only.message?.(exchange);
  return async () => {
    for (const stage of charging) await stage.message?.(exchange);
  };
}
