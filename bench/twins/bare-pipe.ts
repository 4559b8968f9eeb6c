/**
 * Bare twin of door 1: what Node itself needs to pass a request on. `node:http` in front, an undici pool behind,
 * opaque streams with back-pressure both ways, hop-by-hop fields removed, a client that leaves cancels the call.
 * No routing, no policies, no log, no error bodies.
 * PORT is where it listens, USERS the origin it forwards to.
 *
 * @module
 */
import { createServer } from 'node:http';
import { pipe } from './pipe.ts';

createServer(pipe).listen(Number(process.env['PORT']), '127.0.0.1');

// An orderly end, so that a profiler can write down what it saw.
process.once('SIGTERM', () => process.exit(0));
