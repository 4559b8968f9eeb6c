import { tokensOf } from '../cases.ts';
import { checkSameAnswer } from '../checks.ts';
import { stopChild } from '../children.ts';
import type { Stand, Subject } from '../stand.ts';
import type { Entrant, PeersCase } from './cases.ts';
import { checkPolicies } from './checks.ts';
import type { Found } from './find.ts';
import type { PeersOptions } from './options.ts';
import { attempt, emptySeries, type EntrantResult, type PeerSide, type PeersResult } from './results.ts';
import { runRounds } from './rounds.ts';
import type { ServerName } from './servers.ts';
import { startEntrant, type KeyFiles } from './start.ts';

/** What all cases of a run share. */
export interface Run {
  readonly stand: Stand;
  readonly options: PeersOptions;
  readonly found: ReadonlyMap<ServerName, Found>;
  readonly keys: KeyFiles;
}

/** Measures one case, provided that all do its work. Who does not fails alone; only the gateway fails the whole case. */
export async function measurePeers(one: PeersCase, run: Run): Promise<PeersResult> {
  const { stand, options } = run;
  const entrants = one.against.map((entrant) => resultOf(entrant, run));
  const result = { case: one, gateway: emptySeries(), entrants };
  if (one.needsRedis && stand.redisUrl === undefined) {
    return { ...result, failed: 'there is no redis-server; `node scripts/ensure-redis.ts` gets one' };
  }
  const started: Subject[] = [];
  try {
    const subject = await stand.startGateway(one);
    started.push(subject);
    if (one.protected) await checkPolicies(one, subject, stand);
    const peers: PeerSide[] = [];
    for (const entrant of entrants) {
      const peer = await attempt(entrant, () => enter(one, run, entrant, subject));
      if (peer === undefined) continue;
      started.push(peer.subject);
      peers.push(peer);
    }
    const sides = { gateway: { subject, series: result.gateway }, peers };
    return { ...result, note: await runRounds(one, stand, options, sides) };
  } catch (error) {
    return { ...result, failed: (error as Error).message };
  } finally {
    await Promise.all(started.map(({ child }) => stopChild(child)));
  }
}

function resultOf(entrant: Entrant, { found }: Run): EntrantResult {
  const there = found.get(entrant.server) ?? { skipped: 'nobody looked for it' };
  const [version, skipped] = 'skipped' in there ? ['', there.skipped] : [there.version, undefined];
  return { entrant, version, series: emptySeries(), ...(skipped === undefined ? {} : { skipped }) };
}

/** Starts somebody and checks that it does the work of the case; undefined when it was skipped. */
async function enter(
  one: PeersCase,
  { stand, found, keys }: Run,
  result: EntrantResult,
  gateway: Subject,
): Promise<PeerSide | undefined> {
  const { entrant, series } = result;
  const there = found.get(entrant.server);
  if (there === undefined || 'skipped' in there) return undefined;
  const subject = await startEntrant(entrant, there, stand, keys);
  try {
    const [token] = tokensOf(one, stand.tokens);
    await checkSameAnswer(one, { gateway, twin: subject, peers: [] }, token);
    if (one.protected && !entrant.unprotected) await checkPolicies(one, subject, stand);
  } catch (error) {
    await stopChild(subject.child);
    throw error;
  }
  return { subject, series, result };
}
