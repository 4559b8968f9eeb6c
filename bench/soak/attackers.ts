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
import { setTimeout as sleep } from 'node:timers/promises';

const ALL: readonly Attack[] = [...handshakes, ...uploads, ...documents, ...requests, ...hostileAnswers];
/** Multiples of it lie evenly between whole numbers, however many they are. */
const SPREAD = (Math.sqrt(5) - 1) / 2;
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
  ALL.filter(({ name }) => ONLY === undefined || name.includes(ONLY)).map(async (attack, index) => {
    const tally = (tallies[attack.name] = { begun: 0, ended: 0, failed: 0 });
    // Attackers know nothing of each other: begun together, all that strike every second would do so in the same ms.
    await sleep(((index * SPREAD) % 1) * (1000 / attack.perSecond));
    await repeat(attack, field, tally);
  }),
);
console.log(JSON.stringify(tallies));
process.exit(0);
