/**
 * Services with long bodies, slow ones, and one that hangs, in one process on free ports. Prints one line of JSON: their
 * addresses by the names that gateway.yaml uses.
 *
 * @module
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Server } from 'node:net';

const PIECE = Buffer.alloc(256 * 1024, 'x');
const TRICKLE = Buffer.alloc(256, 'x');
const TRICKLE_EVERY_MS = 100;

/** Answers `GET /declared/N` and `GET /chunked/N` with N bytes, `GET /trickle` without end, and `PUT` with the bytes it took. */
const long: RequestListener = (request, response) => {
  if (request.method === 'PUT') return void count(request, response);
  const [, kind = '', bytes = '0'] = (request.url ?? '').split('/');
  if (kind === 'trickle') return trickle(response);
  response.writeHead(200, kind === 'declared' ? { 'content-length': bytes } : {});
  pour(response, Number(bytes));
};

async function count(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let bytes = 0;
  request.on('data', (piece: Buffer) => (bytes += piece.length));
  await once(request, 'close');
  response.end(String(bytes));
}

function pour(response: ServerResponse, bytes: number): void {
  let left = bytes;
  while (left > 0) {
    const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
    left -= piece.length;
    if (!response.write(piece) && left > 0) return void response.once('drain', () => pour(response, left));
  }
  response.end();
}

let trickles = 0;
// Not all in the same millisecond, as strangers would not.
function trickle(response: ServerResponse): void {
  trickles += 1;
  let timer = setTimeout(() => {
    timer = setInterval(() => response.write(TRICKLE), TRICKLE_EVERY_MS);
  }, trickles % TRICKLE_EVERY_MS);
  response.flushHeaders();
  response.once('close', () => clearInterval(timer));
}

const quick: RequestListener = (_, response) => {
  response.setHeader('content-type', 'application/json').end('{"id":"1","name":"Ada"}');
};

async function addressOf(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

let isHanging = false;
/** Answers as the other one, until it is told to hang by `PUT`. */
const hanging: RequestListener = (request, response) => {
  if (request.method === 'PUT') isHanging = true;
  else if (isHanging) return void request.resume();
  quick(request, response);
};

const [longUrl, quickUrl, hangingUrl] = await Promise.all([
  addressOf(createServer({ requestTimeout: 0 }, long)),
  addressOf(createServer(quick)),
  addressOf(createServer(hanging)),
]);
console.log(JSON.stringify({ LONG: longUrl, QUICK: quickUrl, HANGING: hangingUrl }));
