/**
 * One round of load over HTTP/2 and TLS, in a process of its own: `node bench/http2-load.ts OPTIONS_FILE`. The requests under way
 * at once are as many as other load tools have connections, eight on each connection. Prints the result as JSON.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { connect, type ClientHttp2Session } from 'node:http2';
import type { LoadOptions, LoadResult } from './load.ts';

const STREAMS = 8;

const { origin, request, tokens, connections, seconds } = JSON.parse(
  readFileSync(process.argv[2] ?? '', 'utf8'),
) as LoadOptions;
const { method, path, headers, body } = request;

const took: number[] = [];
let [failures, turn, isOver] = [0, 0, false];

const sessions = Array.from({ length: Math.ceil(connections / STREAMS) }, () => {
  // Of its own certificate; nobody is trusted with anything here.
  const session = connect(origin, { rejectUnauthorized: false });
  session.on('error', () => void (failures += 1));
  return session;
});
const startedAt = performance.now();
setTimeout(() => (isOver = true), seconds * 1000);
const all = sessions.flatMap((session) => Array.from({ length: STREAMS }, () => askOnAndOn(session)));
await Promise.all(all);
const elapsedS = (performance.now() - startedAt) / 1000;
for (const session of sessions) session.close();

took.sort((a, b) => a - b);
const seen: LoadResult = {
  requests: took.length,
  rps: took.length / elapsedS,
  p50Ms: took[Math.floor(took.length * 0.5)] ?? 0,
  p99Ms: took[Math.floor(took.length * 0.99)] ?? 0,
  failures,
};
console.log(JSON.stringify(seen));

async function askOnAndOn(session: ClientHttp2Session): Promise<void> {
  while (!isOver && !session.destroyed) await ask(session);
}

function ask(session: ClientHttp2Session): Promise<void> {
  const token = tokens[turn++ % Math.max(1, tokens.length)];
  const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const begunAt = performance.now();
  const stream = session.request({ ':method': method, ':path': path, ...headers, ...bearer });
  let status = 0;
  stream.on('response', ({ ':status': given }) => void (status = given ?? 0));
  stream.on('error', () => {});
  stream.resume().end(body);
  return new Promise((resolve) => {
    stream.once('close', () => {
      took.push(performance.now() - begunAt);
      if (status < 200 || status > 299 || stream.rstCode !== 0) failures += 1;
      resolve();
    });
  });
}
