import type { IncomingMessage } from 'node:http';

/** Whether we wait for a client to send more of its body: all that came was taken, and it is not the end. */
export function awaitsBody({ complete, readableFlowing, readableLength }: IncomingMessage): boolean {
  return !complete && readableFlowing === true && readableLength === 0;
}
