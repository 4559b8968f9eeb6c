/**
 * Opens EACH slow uploads and as many slow downloads at PORT, which go on until SIGTERM. Prints a line once they are open.
 *
 * @module
 */
import { connect, type Socket } from 'node:net';

const PIECE = Buffer.alloc(256, 'x');
const EVERY_MS = 100;
const port = Number(process.env['PORT']);

function open(head: string): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.write(`${head} HTTP/1.1\r\nHost: gateway\r\n`);
  return socket.resume();
}

for (let turn = 0; turn < Number(process.env['EACH']); turn += 1) {
  open('GET /long/trickle').write('\r\n');
  const upload = open('PUT /long/sink');
  upload.write(`Content-Length: ${2 ** 40}\r\n\r\n`);
  // Not all in the same millisecond, as strangers would not.
  setTimeout(() => setInterval(() => upload.write(PIECE), EVERY_MS), (turn % EVERY_MS) + 1);
}
console.log('open');
process.once('SIGTERM', () => process.exit(0));
