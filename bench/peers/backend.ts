/**
 * The target of all rows: answers GET requests with bytes that are ready, so that it leaves its core to the load tool and
 * is never what a round waits for. `/items/1` is 227 bytes of JSON, `/items/page` 16 KiB of it in chunks of 4 KiB.
 * Listens on `BACKEND_HOST`, which is 127.0.0.1 by default, and prints its address as one line of JSON.
 *
 * @module
 */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

const HOST = process.env['BACKEND_HOST'] ?? '127.0.0.1';
const SMALL_BYTES = 227;
const PAGE_BYTES = 16 * 1024;
const CHUNK_BYTES = 4 * 1024;
const DATE_EVERY_MS = 1000;
const END_OF_HEAD = '\r\n\r\n';

const small = jsonOf(SMALL_BYTES);
const page = chunked(jsonOf(PAGE_BYTES));
let answers = answersOf(new Date());
// A target says the time, so that no proxy has to.
setInterval(() => (answers = answersOf(new Date())), DATE_EVERY_MS).unref();

const server = createServer({ noDelay: true }, (socket) => {
  let rest = '';
  socket.setEncoding('latin1');
  socket.on('data', (piece: string) => {
    rest += piece;
    for (let end = rest.indexOf(END_OF_HEAD); end !== -1; end = rest.indexOf(END_OF_HEAD)) {
      socket.write(rest.startsWith('GET /items/page ') ? answers.page : answers.small);
      rest = rest.slice(end + END_OF_HEAD.length);
    }
  });
  // A proxy that ends closes its connections in its own way.
  socket.on('error', () => socket.destroy());
}).listen(0, HOST);
await once(server, 'listening');
console.log(JSON.stringify({ BACKEND: `http://${HOST}:${(server.address() as AddressInfo).port}` }));
process.once('SIGTERM', () => process.exit(0));

function answersOf(now: Date): { small: Buffer; page: Buffer } {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nDate: ${now.toUTCString()}\r\n`;
  return {
    small: Buffer.from(`${head}Content-Length: ${SMALL_BYTES}\r\n\r\n${small}`),
    page: Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n${page}`),
  };
}

/** JSON of exactly so many bytes. */
function jsonOf(bytes: number): string {
  const text = (note: string): string =>
    JSON.stringify({ id: '1', name: 'Ada Lovelace', email: 'ada@example.com', roles: ['admin'], note });
  return text('x'.repeat(bytes - text('').length));
}

function chunked(text: string): string {
  const pieces = text.match(new RegExp(`.{1,${CHUNK_BYTES}}`, 'g')) ?? [];
  return [...pieces, ''].map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
}
