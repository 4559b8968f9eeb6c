import { setTimeout as sleep } from 'node:timers/promises';
import { checkWork } from '../checks.ts';
import { usageOf } from '../cpu.ts';
import { loadOf, runRound, warmUp, type Round } from '../measure.ts';
import type { Stand } from '../stand.ts';
import { countCalls } from '../upstream-calls.ts';
import type { PeersCase } from './cases.ts';
import { checkLog } from './checks.ts';
import type { PeersOptions } from './options.ts';
import { attempt, type PeerSide, type Side } from './results.ts';

/** Longer than anybody waits before it writes out its log. */
const LOG_FLUSH_MS = 2500;

/** Who takes part in the rounds of a case. */
export interface Sides {
  readonly gateway: Side;
  readonly peers: readonly PeerSide[];
}

/**
 * Lets all take turns, round by round, every other round backwards; then checks that each request was worked on. Whoever
 * fails takes no further part.
 *
 * @returns what a reader of the numbers should know, if there is something.
 * @throws {Error} when the gateway fails.
 */
export async function runRounds(
  one: PeersCase,
  stand: Stand,
  options: PeersOptions,
  sides: Sides,
): Promise<string | undefined> {
  const turn = async ({ subject, series }: Side, seconds: number): Promise<Round> => {
    const round = await runRound(subject, options, loadOf(one, stand, subject, seconds));
    series.requests += round.requests;
    series.rounds.push(round);
    return round;
  };
  if (one.counted) await each(sides, (side) => count(one, stand, side));
  await each(sides, (side) => warmUp(() => turn(side, options.warmUpSeconds)));
  // What was warmed up with does not count.
  for (const { series } of [...sides.peers, sides.gateway]) series.rounds.length = 0;
  for (let round = 0; round < options.rounds; round += 1) {
    await each(sides, async (side) => void (await turn(side, options.seconds)), round % 2 === 1);
  }
  for (const { subject, series } of [...sides.peers, sides.gateway]) {
    series.rssBytes = usageOf(subject.pid).rssBytes;
  }
  if (one.logLevel === 'info') await checkLogs(sides.peers);
  return checkWork(one, sides.gateway.subject, sides.gateway.series.requests);
}

// Peers in their order, and the gateway last: right beside it is whom it is compared with first of all.
async function each(
  { gateway, peers }: Sides,
  work: (side: Side) => Promise<void>,
  backwards = false,
): Promise<void> {
  if (backwards) await work(gateway);
  for (const peer of backwards ? peers.toReversed() : peers) {
    if (peer.result.failed === undefined) await attempt(peer.result, () => work(peer));
  }
  if (!backwards) await work(gateway);
}

async function count(one: PeersCase, stand: Stand, { subject, series }: Side): Promise<void> {
  series.upstreamCalls = await countCalls(one, stand, subject);
}

async function checkLogs(peers: readonly PeerSide[]): Promise<void> {
  await sleep(LOG_FLUSH_MS);
  for (const { subject, series, result } of peers) {
    if (!result.entrant.unprotected) await attempt(result, () => checkLog(subject, series.requests));
  }
}
