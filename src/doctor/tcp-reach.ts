import { connect } from 'node:net';
import { connectionFault, type ConnectionFault } from './connection-faults.ts';

const NO_TRUST = { authority: '', name: '' };

/** Opens a connection and closes it. @returns what keeps it from opening; undefined for nothing. */
export function reach(to: {
  readonly host: string;
  readonly port: number;
  readonly signal: AbortSignal;
}): Promise<ConnectionFault | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: to.host, port: to.port, signal: to.signal });
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error) => resolve(connectionFault(error, NO_TRUST)));
  });
}
