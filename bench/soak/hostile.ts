/**
 * Services that misbehave, in one process on free ports. Prints one line of JSON: their addresses by the names that
 * gateway.yaml uses.
 *
 * @module
 */
import { once } from 'node:events';
import { createServer as createHttp2, type ServerHttp2Stream } from 'node:http2';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const LISTS: Readonly<Record<string, string>> = {
  '/ones': `[${'1,'.repeat(500_000)}1]`,
  '/deep': `${'['.repeat(400_000)}${']'.repeat(400_000)}`,
};

const ANSWERS: Readonly<Record<string, (socket: Socket) => void>> = {
  '/hostile/never': () => {},
  '/hostile/endless': (socket) => {
    socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`);
    pour(socket, `4000\r\n${'x'.repeat(0x4000)}\r\n`);
  },
  '/hostile/bytes': (socket) => {
    socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n`);
    pour(socket, '1\r\n \r\n'.repeat(20_000));
  },
  '/hostile/interim': (socket) => pour(socket, 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)),
  '/hostile/trailers': (socket) => {
    socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n`);
    pour(socket, 'X-Trailer: again\r\n'.repeat(100));
  },
  '/hostile/late': (socket) => {
    socket.write(`${OK}Content-Length: 2\r\n\r\n[]`);
    setTimeout(() => socket.write(`${OK}Content-Length: 6\r\n\r\n"late"`), 5);
  },
  '/hostile/cut': (socket) => {
    socket.write(`${OK}Content-Length: 200\r\n\r\n[1,2,`);
    setTimeout(() => socket.destroy(), 5);
  },
};

// Until the other side hangs up, and at the speed at which it reads.
function pour(socket: Socket, text: string): void {
  const more = (): void => {
    if (socket.destroyed) return;
    if (socket.write(text)) setTimeout(more, 5);
    else socket.once('drain', more);
  };
  more();
}

function answer(socket: Socket): void {
  let received = '';
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n')) {
      const path = received.slice(0, end).split(' ')[1] ?? '';
      received = received.slice(end + 4);
      const list = LISTS[path];
      if (list === undefined) ANSWERS[path]?.(socket);
      else socket.write(`${OK}Content-Length: ${list.length}\r\n\r\n${list}`);
    }
  });
}

// Takes heads and not a byte of a body.
function swallowNothing(socket: Socket): void {
  socket.on('error', () => {});
  socket.once('data', () => socket.pause());
}

/** Answers in the turn of the head, and reads nothing. */
function answerEarly(stream: ServerHttp2Stream): void {
  stream.on('error', () => {});
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.alloc(5));
}

const FRAME = 9;
const HEADERS = 1;
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const SETTINGS_ACK = Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0]);
const PING = Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);

/** Sends frames without meaning for as long as somebody waits for an answer. */
function floodFrames(socket: Socket): void {
  let flooding = false;
  socket.on('error', () => {});
  socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK]));
  socket.on('data', (chunk: Buffer) => {
    if (flooding || !hasHeaders(chunk)) return;
    flooding = true;
    pour(
      socket,
      Buffer.concat(Array.from({ length: 500 }, () => [PING, SETTINGS]).flat()).toString('latin1'),
    );
  });
  socket.setDefaultEncoding('latin1');
}

function hasHeaders(chunk: Buffer): boolean {
  for (let at = chunk.indexOf('SM\r\n\r\n') >= 0 ? 24 : 0; at + FRAME <= chunk.length;) {
    if (chunk[at + 3] === HEADERS) return true;
    at += FRAME + chunk.readUIntBE(at, 3);
  }
  return false;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const early = createHttp2()
  .on('stream', answerEarly)
  .on('sessionError', () => {});
console.log(
  JSON.stringify({
    SINK: `http://127.0.0.1:${await listen(createServer(swallowNothing))}`,
    HOSTILE: `http://127.0.0.1:${await listen(createServer(answer))}`,
    HOSTILE_GRPC: `grpc://127.0.0.1:${await listen(early as unknown as Server)}`,
    FLOOD_GRPC: `grpc://127.0.0.1:${await listen(createServer(floodFrames))}`,
  }),
);
process.once('SIGTERM', () => process.exit(0));
