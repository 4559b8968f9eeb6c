import type { RequestListener } from 'node:http';

/** What no client of HTTP can read as the head of an answer. */
export const GARBAGE = [
  'SSH-2.0-OpenSSH_9.9\r\n\r\n',
  'HTTP/1.1 OK 200\r\ncontent-length: 0\r\n\r\n',
  'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok',
  'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n',
  'HTTP/1.1 200 OK\r\nno field at all\r\n\r\n',
  '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
  '<!doctype html><title>It works!</title>\r\n\r\n',
] as const;

/** How a service fails a request whose host lives: nothing of its answer has begun. */
export const FAULTS = {
  reset: ({ socket }) => void socket.resetAndDestroy(),
  hang: (request) => void request.resume(),
  halfClose: ({ socket }) => void socket.end(),
  error: (_request, response) => void response.writeHead(503).end(),
  garbage: ({ socket }) => void socket.end(GARBAGE[0]),
} satisfies Readonly<Record<string, RequestListener>>;
