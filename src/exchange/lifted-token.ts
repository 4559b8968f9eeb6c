import type { IncomingMessage } from 'node:http';

const lifted = new WeakSet<IncomingMessage>();

/** Takes note that the `Authorization` of a request was among the subprotocols of its handshake. */
export function noteLiftedToken(request: IncomingMessage): void {
  lifted.add(request);
}

/** Whether it was: any page can send one there, while browsers let none fill in the field itself. */
export function isLiftedToken(request: IncomingMessage): boolean {
  return lifted.has(request);
}
