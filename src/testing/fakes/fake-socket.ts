import { WebSocketServer } from 'ws';
import type { Upgrade } from '../../simulate/received.ts';
import { TestSocket } from '../clients/test-socket.ts';

/** Talks at the service's end of a WebSocket. */
export type Talk = (socket: TestSocket) => unknown;

const MOST_BYTES = 16 * 2 ** 20;

const handshakes = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  maxPayload: MOST_BYTES,
  perMessageDeflate: false,
  autoPong: true,
  allowSynchronousEvents: true,
  closeTimeout: 1000,
});

/** Accepts a WebSocket and has somebody talk there. @param failed hears what the talk has thrown. */
export function acceptSocket(
  { request, socket, head }: Upgrade,
  talk: Talk,
  failed: (error: unknown) => void,
): void {
  handshakes.handleUpgrade(request, socket, head, (accepted) => {
    const talking = new TestSocket(accepted, (work) => work);
    Promise.resolve()
      .then(() => talk(talking))
      .catch((error: unknown) => {
        failed(error);
        talking.terminate();
      });
  });
}
