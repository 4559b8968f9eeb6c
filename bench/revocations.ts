/**
 * Measures what revocations cost: `npm run bench -- --only revocations`.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import {
  digestOf,
  marksOf,
  secondsOf,
  type RevocationMarks,
} from '../src/policies/authentication/revocation/revocation-marks.ts';
import { RevocationSet } from '../src/policies/authentication/revocation/revocation-set.ts';
import { median } from './table.ts';

const SIZES = [0, 1000, 100_000, 1_000_000];
const CALLERS = 10_000;
const CHECKS = 1_000_000;
const ROUNDS = 7;
const TARGET_US = 0.3;
const MIB = 2 ** 20;
const HOUR_MS = 3_600_000;

/** Measures in a process of its own. @returns a Markdown table. */
export function revocationTimes(): string {
  return execFileSync(process.execPath, ['--expose-gc', import.meta.filename], { encoding: 'utf8' }).trim();
}

if (import.meta.main) {
  const head =
    '| revocations | fill ms | longest add ms | table MiB | RSS MiB more | check CPU ns | target |';
  console.log([head, `|${' -: |'.repeat(7)}`, ...SIZES.map(rowOf)].join('\n'));
}

function rowOf(size: number): string {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  const set = new RevocationSet({ max: 1_000_000, longest: 24 * HOUR_MS });
  const until = Math.ceil(secondsOf(Date.now() + HOUR_MS));
  let fillMs = 0;
  let longestMs = 0;
  for (let i = 0; i < size; i += 1) {
    const digest = digestOf('jti', '', `revoked-${i}`);
    const startedAt = performance.now();
    set.add(digest, until);
    const tookMs = performance.now() - startedAt;
    fillMs += tookMs;
    longestMs = Math.max(longestMs, tookMs);
  }
  set.move(Infinity);
  const [checkNs, verdict] = checked(set);
  globalThis.gc?.();
  const more = Math.max(0, process.memoryUsage.rss() - before);
  const numbers = [
    fillMs.toFixed(0),
    longestMs.toFixed(1),
    (set.bytes / MIB).toFixed(1),
    (more / MIB).toFixed(0),
  ];
  return `| ${[size, ...numbers, checkNs.toFixed(0), verdict].join(' | ')} |`;
}

/** The CPU time of a check of callers who are not revoked: all three of their marks are looked up. */
function checked(set: RevocationSet): [ns: number, verdict: string] {
  const callers = Array.from({ length: CALLERS }, (_, i) => caller(i));
  const rounds = Array.from({ length: ROUNDS }, () => {
    let revoked = 0;
    // CPU time: others on the machine shall not count.
    const before = process.cpuUsage();
    for (let i = 0; i < CHECKS; i += 1)
      if (set.revokes(callers[i % CALLERS] as RevocationMarks)) revoked += 1;
    if (revoked > 0) throw new Error('somebody is revoked who is not');
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1000) / CHECKS;
  });
  const ns = median(rounds);
  return [ns, `≤ ${TARGET_US} µs ${ns <= TARGET_US * 1000 ? 'met' : 'above'}`];
}

function caller(i: number): RevocationMarks {
  const names = { token: `token-${i}`, session: `session-${i}`, subject: `subject-${i}` };
  return marksOf({ issuer: 'https://id.example.com/', ...names, issuedAt: Date.now() / 1000 });
}
