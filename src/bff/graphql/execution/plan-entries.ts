import type { CallRecord } from '../../../calls/call-log.ts';
import type { StreamRecord } from '../../../calls/stream-log.ts';
import { pathOf, type ResponsePath } from './operation-context.ts';

type Entry = Readonly<Record<string, unknown>>;

/**
 * What a plan shows of a call. Times in ms.
 *
 * @param beganAt when the execution began that it is shown with, on the clock of `performance.now()`.
 */
export function callEntry(record: CallRecord, beganAt: number): Entry {
  const { call, upstream, source, by, place, attempts, outcome, part, startedAt } = record;
  // A section can end before its call does, because its time is up.
  const durationMs = outcome === undefined ? performance.now() - startedAt : record.durationMs;
  return {
    call,
    upstream,
    source,
    ...(by === undefined ? {} : { section: by }),
    path: pathEntry(place),
    startMs: rounded(startedAt - beganAt),
    durationMs: rounded(durationMs),
    attempts: attempts.map((one) => one.outcome),
    outcome: outcome ?? 'pending',
    ...(part?.code === undefined ? {} : { because: part.code }),
  };
}

/** What a plan shows of a stream, which may have opened long before the execution that it is shown with. */
export function streamEntry(record: StreamRecord): Entry {
  const { call, upstream, protocol, place, openedAtMs, values, outcome } = record;
  return {
    call,
    upstream,
    protocol,
    path: pathEntry(place),
    openedAt: openedAtMs === undefined ? null : new Date(openedAtMs).toISOString(),
    values,
    outcome: outcome ?? 'open',
  };
}

/** A time as plans show it: to a hundredth of a millisecond. */
export function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}

function pathEntry(place: unknown): (string | number)[] | null {
  return place === undefined ? null : pathOf(place as ResponsePath);
}
