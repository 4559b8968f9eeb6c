import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '../../../test/support/redis.ts';
import { kindsOf, noneFailed, textOf, type Outcome, type ScenarioResult } from '../../chaos/report.ts';
import { took, type World } from '../../chaos/world.ts';
import type { Subject } from '../../stand.ts';
import { readAnswer, SteadyLoad, type AnswerHead, type Answered, type Seen } from '../../steady-load.ts';
import { Fleet } from '../fleet.ts';
import { LIMIT, LimitTally, limitKept } from '../limit-tally.ts';
import { skewedBy } from '../skewed-clock.ts';
import { SECRET, signed, skewConfig, SKEW_S, TOLERATED_S, TTL_MS } from '../skew-config.ts';

/** By how much the clock of each replica is wrong. */
const SKEWS = [0, SKEW_S * 1000, -SKEW_S * 1000];
const PER_SECOND = 20;
const RUN_MS = 15_000;
const KEYS = 10;
const MOST_TRIES = 10;
/** Beside the age that an answer may have: a `Date` has whole seconds. */
const DATE_MS = 1000;
const REVOKED_WITHIN_MS = 2000;
/** After its end a token is good for what is tolerated, and where the clock is behind for the skew as well. */
const GONE_S = TOLERATED_S + SKEW_S + 1;
const ENDS_IN_S = 20;

/** The clock of one of three replicas is 30 s ahead, that of another one 30 s behind. */
export async function clockSkew(world: World): Promise<ScenarioResult> {
  const redis = await startRedis();
  world.stand.redisUrl = redis.url;
  try {
    const [target] = await world.startTargets(['one']);
    const config = skewConfig(target?.url ?? '');
    const fleet = await Fleet.start(world, config, SKEWS.length, (index) => ({
      ...skewedBy(SKEWS[index] as number),
      env: { SKEW_SECRET: SECRET },
    }));
    await fleet.untilCounted();
    const tally = new LimitTally(fleet).start();
    const loads = loadsFor(world, fleet.subjects, await signed({ life: 600 }));
    await sleep(RUN_MS);
    const outcomes = [
      await keysOutcome(fleet.subjects),
      await expiredOutcome(fleet.subjects),
      await endingOutcome(fleet.subjects),
      await revokedOutcome(world, fleet.subjects),
    ];
    await Promise.all(Object.values(loads).flatMap((some) => some.map((load) => load.stop())));
    await tally.stop();
    const seen = (name: keyof typeof loads): readonly Seen[] => loads[name].flatMap((load) => load.seen);
    return {
      parts: [
        { part: 'with a token', seen: seen('private') },
        { part: 'kept', seen: seen('cached') },
        { part: 'with a limit', seen: seen('limited') },
      ],
      outcomes: [
        noneFailed(seen('private'), 'no request with a token fails'),
        noneFailed(seen('cached'), `no answer is older than the ${TTL_MS} ms that it may be kept`),
        ...limitKept(seen('limited'), LIMIT, { bursts: 0, apartMs: 0, late: tally.sum.late }),
        notStarved(seen('limited')),
        ...outcomes,
      ],
    };
  } finally {
    world.stand.redisUrl = undefined;
    await redis.stop();
  }
}

function loadsFor({ lateness }: World, subjects: readonly Subject[], token: string) {
  const bearer = { authorization: `Bearer ${token}` };
  const perSecond = lateness.scaled(PER_SECOND);
  const load = (path: string, more: object = {}): SteadyLoad[] =>
    subjects.map(({ origin }) => new SteadyLoad(origin + path, { perSecond, ...more }).start());
  return {
    private: load('/private', { headers: () => bearer }),
    cached: load('/cached', { read: readKept }),
    // All together well above the limit, on any machine.
    limited: load('/limited', { perSecond: Math.max(LIMIT.rate, perSecond) }),
  };
}

/**
 * The target says when it has answered, by the clock that this process has as well. A gateway chooses an answer after it was asked: how
 * long it is on its way afterwards is not its age.
 */
function readKept(head: AnswerHead, text: string, askedAt: number): Answered {
  const answered = readAnswer(head, text);
  if (answered.kind !== '200') return answered;
  const age = askedAt - (JSON.parse(text) as { readonly at: number }).at;
  return age <= TTL_MS + DATE_MS ? answered : { ...answered, kind: `200, ${Math.round(age / 1000)} s old` };
}

function notStarved(seen: readonly Seen[]): Outcome {
  const due = seen.map(({ dueAt }) => dueAt);
  const least = (0.9 * LIMIT.rate * (Math.max(...due) - Math.min(...due))) / 1000;
  const admitted = kindsOf(seen)['200'] ?? 0;
  return {
    kept: admitted >= least,
    line: `and no less than the limit: ${admitted}, at least ${least.toFixed(0)}`,
  };
}

/** A key that one has seen is known to the others, and what it stands for is run once. */
async function keysOutcome(subjects: readonly Subject[]): Promise<Outcome> {
  const token = await signed({ life: 600 });
  const others: Record<string, number> = {};
  let [twice, never, replayed] = [0, 0, 0];
  for (let i = 0; i < KEYS; i += 1) {
    const key = randomUUID();
    const order = [...subjects.slice(i % subjects.length), ...subjects.slice(0, i % subjects.length)];
    const answers = new Set<string>();
    for (const { origin } of order) {
      const { kind, text, isReplayed } = await sendKey(origin, token, key);
      if (kind === '200') answers.add(text);
      else others[kind] = (others[kind] ?? 0) + 1;
      if (isReplayed) replayed += 1;
    }
    if (answers.size > 1) twice += 1;
    if (answers.size === 0) never += 1;
  }
  // Where Redis was too slow for a key its client is told so: what was claimed and not run stays so until the claim ends.
  const areTold = Object.keys(others).every((kind) => /^(503|409) idempotency-/.test(kind));
  return {
    kept: twice === 0 && never < KEYS && replayed > 0 && areTold,
    line: `what an Idempotency-Key stands for is run once, whoever is asked: ${twice} of ${KEYS} twice, ${never} not at all, ${replayed} told again; others: ${textOf(others)}`,
  };
}

/** Sends one of them; again where nothing was run. */
async function sendKey(origin: string, token: string, key: string) {
  const headers = { authorization: `Bearer ${token}`, 'idempotency-key': `"${key}"` };
  for (let tried = 1; ; tried += 1) {
    const answer = await fetch(`${origin}/orders`, { method: 'POST', headers, body: 'one' });
    const text = await answer.text();
    if (answer.status === 503 && tried < MOST_TRIES) continue;
    const { kind } = readAnswer({ statusCode: answer.status, headers: { 'retry-after': '' } }, text);
    return { kind, text, isReplayed: answer.headers.get('idempotent-replayed') === 'true' };
  }
}

/** Beyond what `clockSkew` tolerates nobody takes it. */
async function expiredOutcome(subjects: readonly Subject[]): Promise<Outcome> {
  const statuses = await statusesOf(subjects, await signed({ life: -GONE_S }));
  return {
    kept: statuses.every((status) => status === 401),
    line: `a token that has expired ${GONE_S} s ago is refused by all: ${statuses.join(', ')}`,
  };
}

/** Within what `clockSkew` tolerates all take it: one with a clock that is ahead has seen its end already. */
async function endingOutcome(subjects: readonly Subject[]): Promise<Outcome> {
  const statuses = await statusesOf(subjects, await signed({ life: ENDS_IN_S }));
  return {
    kept: statuses.every((status) => status === 200),
    line: `a token that ends in ${ENDS_IN_S} s is taken by all: ${statuses.join(', ')}`,
  };
}

/** What one is told all go by. */
async function revokedOutcome({ lateness }: World, subjects: readonly Subject[]): Promise<Outcome> {
  const since = performance.now();
  const times: number[] = [];
  for (const { adminOrigin } of subjects) {
    const jti = randomUUID();
    const token = await signed({ life: 60, jti });
    const before = await statusesOf(subjects, token);
    if (before.some((status) => status !== 200)) times.push(Infinity);
    const expiresAt = Math.floor(Date.now() / 1000) + 60;
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ jti, expiresAt, reason: 'availability' });
    const { ok } = await fetch(`${adminOrigin}/revocations`, { method: 'POST', headers, body });
    const areRefused = async (): Promise<boolean> =>
      (await statusesOf(subjects, token)).every((status) => status === 401);
    times.push(ok ? await took(areRefused, 5 * REVOKED_WITHIN_MS) : Infinity);
  }
  const longest = Math.max(...times);
  const slackMs = lateness.slackMs(since);
  return {
    kept: longest <= REVOKED_WITHIN_MS + slackMs,
    line: `a token that one is told to revoke is refused by all after ${longest.toFixed(0)} ms, within ${REVOKED_WITHIN_MS} ms, and ${slackMs.toFixed(0)} that the machine was late`,
  };
}

function statusesOf(subjects: readonly Subject[], token: string): Promise<number[]> {
  return Promise.all(
    subjects.map(async ({ origin }) => {
      const answer = await fetch(`${origin}/private`, { headers: { authorization: `Bearer ${token}` } });
      await answer.text();
      return answer.status;
    }),
  );
}
