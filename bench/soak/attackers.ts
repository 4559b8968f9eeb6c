/**
 * All attacks at once, until SIGTERM. Reads `PORT` and `TOKENS` (JSON) from the environment and prints one line of JSON
 * when it ends: what each attack did.
 *
 * @module
 */
import { repeat, type Attack, type Tally } from './attack.ts';
import { documents } from './attacks/documents.ts';
import { handshakes } from './attacks/handshakes.ts';
import { hostileAnswers, requests } from './attacks/requests.ts';
import { uploads } from './attacks/uploads.ts';
import { setMaxListeners } from 'node:events';

const ALL: readonly Attack[] = [...handshakes, ...uploads, ...documents, ...requests, ...hostileAnswers];
const ONLY = process.env['ONLY'];

const over = new AbortController();
setMaxListeners(0, over.signal);
process.once('SIGTERM', () => over.abort());
const field = {
  port: Number(process.env['PORT']),
  tokens: JSON.parse(process.env['TOKENS'] ?? '[]') as string[],
  over: over.signal,
};
const tallies: Record<string, Tally> = {};
await Promise.all(
  ALL.filter(({ name }) => ONLY === undefined || name.includes(ONLY)).map((attack) =>
    repeat(attack, field, (tallies[attack.name] = { begun: 0, ended: 0, failed: 0 })),
  ),
);
console.log(JSON.stringify(tallies));
process.exit(0);
