/**
 * Bare twin of door 1 over TLS: what Node itself needs to pass a request on that came over HTTP/1.1 or HTTP/2, with the
 * compatibility API of `node:http2`. PORT is where it listens, USERS the origin it forwards to, TLS_CERT and TLS_KEY its files.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createSecureServer } from 'node:http2';
import { pipe } from './pipe.ts';

const { PORT, TLS_CERT = '', TLS_KEY = '' } = process.env;

const files = { cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) };
const server = createSecureServer({ ...files, allowHTTP1: true });
// Both versions have what the pipe uses.
server.on('request', pipe as (...given: Parameters<RequestListener>) => void as never);
server.listen(Number(PORT), '127.0.0.1');

// An orderly end, so that a profiler can write down what it saw.
process.once('SIGTERM', () => process.exit(0));
