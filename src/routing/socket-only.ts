import { needsSocket } from '../upstreams/grpc/transcoding/binding.ts';
import type { Route } from './route.ts';

/** Whether a route takes nothing but the handshake of a WebSocket. */
export function isSocketOnly({ grpc, match: { headers } }: Pick<Route, 'grpc' | 'match'>): boolean {
  return headers['upgrade'] === 'websocket' || (typeof grpc === 'object' && needsSocket(grpc));
}
