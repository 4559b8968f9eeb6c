import type { Route } from './route.ts';

/** Whether a route takes nothing but the handshake of a WebSocket. */
export function isSocketOnly({ action, match: { headers } }: Pick<Route, 'action' | 'match'>): boolean {
  return headers['upgrade'] === 'websocket' || action.needsSocket === true;
}
