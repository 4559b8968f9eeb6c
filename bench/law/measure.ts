import { setTimeout as sleep } from 'node:timers/promises';
import { takeTurns, type Pacer, type Turn, type TurnRound } from '../interleaved.ts';
import { commandsOf, type Commands } from './commands.ts';
import type { Fleet, Limited } from './fleet.ts';

/** What was measured of so many replicas with one kind of limit. */
export interface Measured {
  readonly limited: Limited;
  readonly replicas: number;
  readonly requests: number;
  /** CPU of all gateways for a request, in µs. */
  readonly rounds: readonly TurnRound[];
  /** Commands that gateways have sent for a request, without what they send anyway. Takes of one turn of the event loop are one command. */
  readonly sent: number;
  /** What scripts have done with keys for a request, however many of them travelled together. */
  readonly touched: number;
  /** Commands of a replica in a second that nothing is asked of. */
  readonly idle: number;
}

/** How it is measured. */
export interface LawOptions {
  readonly limits: readonly Limited[];
  readonly rounds: number;
  readonly seconds: number;
  /** Requests of each replica in a second. */
  readonly rate: number;
}

/** A fleet with one kind of limit. */
interface Row {
  readonly fleet: Fleet;
  readonly limited: Limited;
  readonly turn: Turn;
  readonly counted: { sent: number; touched: number };
}

/** Requests of each route to each replica before anything is measured, until its code is compiled; so many a second to all of them. */
const WARM_UP = { requests: 5000, perSecond: 800 };
const IDLE_S = 8;
/** What is idle is given back within this time, and connections are there. */
const SETTLE_MS = 1500;
const MOST_CONNECTIONS = 64;
/** A connection answers so many requests in a second at least. */
const PER_CONNECTION = 25;

/** Measures fleets with all kinds of limits in turn, each replica with as many requests as one alone. */
export async function measureLaw(
  fleets: readonly Fleet[],
  pacer: Pacer,
  { limits, rounds, seconds, rate }: LawOptions,
): Promise<Measured[]> {
  const rows = limits.flatMap((limited) => fleets.map((fleet) => rowOf(fleet, limited, rate)));
  const turns = rows.map(({ turn }) => turn);
  const idle = await idleOf(fleets);
  const around = async (turn: Turn, round: () => Promise<TurnRound>): Promise<TurnRound> => {
    const row = rows.find((one) => one.turn === turn) as Row;
    const [before, beganAt] = [await commandsOf(row.fleet.redises), performance.now()];
    const found = await round();
    const elapsedS = (performance.now() - beganAt) / 1000;
    const after = await commandsOf(row.fleet.redises);
    const anyway = idle.get(row.fleet) ?? { sent: 0, touched: 0 };
    row.counted.sent += after.sent - before.sent - anyway.sent * elapsedS;
    row.counted.touched += after.touched - before.touched - anyway.touched * elapsedS;
    return found;
  };
  const found = await takeTurns(turns, { pacer, rounds, seconds, around });
  return rows.map(({ fleet, limited, turn, counted }) => {
    const own = found.get(turn) ?? [];
    const requests = own.reduce((sum, round) => sum + round.requests, 0);
    return {
      limited,
      replicas: fleet.replicas,
      requests,
      rounds: own,
      sent: counted.sent / requests,
      touched: counted.touched / requests,
      idle: (idle.get(fleet)?.sent ?? 0) / fleet.replicas,
    };
  });
}

/** Asks all replicas of all fleets until they are as fast as they get. */
export async function warmUp(
  fleets: readonly Fleet[],
  pacer: Pacer,
  limits: readonly Limited[],
): Promise<void> {
  const { requests, perSecond } = WARM_UP;
  for (const fleet of fleets) {
    const seconds = (requests * fleet.replicas) / perSecond;
    for (const limited of limits)
      await pacer.run({ ...loadOf(fleet, limited, perSecond / fleet.replicas), seconds });
  }
}

/** What a fleet is asked. @param rate requests of each replica in a second. */
export function loadOf(fleet: Fleet, limited: Limited, rate: number): Turn['load'] {
  const perSecond = rate * fleet.replicas;
  const connections = Math.min(MOST_CONNECTIONS, Math.max(8, Math.ceil(perSecond / PER_CONNECTION)));
  return { origin: fleet.origin, path: `/${limited}/1`, perSecond, connections };
}

function rowOf(fleet: Fleet, limited: Limited, rate: number): Row {
  const load = loadOf(fleet, limited, rate);
  const title = `${limited}, ${fleet.replicas}`;
  return { fleet, limited, turn: { title, pids: fleet.pids, load }, counted: { sent: 0, touched: 0 } };
}

/** Commands in a second, of each. */
async function idleOf(fleets: readonly Fleet[]): Promise<Map<Fleet, Commands>> {
  await sleep(SETTLE_MS);
  const look = (): Promise<Commands[]> => Promise.all(fleets.map(({ redises }) => commandsOf(redises)));
  const [before, beganAt] = [await look(), performance.now()];
  await sleep(1000 * IDLE_S);
  const after = await look();
  const elapsedS = (performance.now() - beganAt) / 1000;
  const rate = (at: number, what: keyof Commands): number =>
    ((after[at]?.[what] ?? NaN) - (before[at]?.[what] ?? NaN)) / elapsedS;
  return new Map(
    fleets.map((fleet, at) => [fleet, { sent: rate(at, 'sent'), touched: rate(at, 'touched') }]),
  );
}
