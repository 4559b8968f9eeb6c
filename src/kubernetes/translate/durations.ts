import { textOf, type Json } from '../resource.ts';
import { unsupported } from './faults.ts';

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** A duration of the Gateway API (GEP-2257) in ms. @throws {ObjectFault} for what is none. */
export function durationMs(text: unknown, field: string): number {
  const parts = [...textOf(text).matchAll(/(\d{1,5})(ms|h|m|s)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text)
    throw unsupported(field, 'expected a duration, such as 1m30s');
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? 0), 0);
}

/** Times and tries of a rule, in keys of a route of the file. @throws {ObjectFault} for what cannot be said. */
export function timesOf(
  timeouts: Json,
  retry: Json,
  field: string,
): {
  readonly deadline: string | undefined;
  readonly retry: Json | undefined;
} {
  const request = limitOf(timeouts['request'], `${field}.timeouts.request`);
  const perTry = limitOf(timeouts['backendRequest'], `${field}.timeouts.backendRequest`);
  const isRetried = Object.keys(retry).length > 0;
  if (retry['backoff'] !== undefined)
    throw unsupported(`${field}.retry.backoff`, 'is not supported: waits are chosen by the gateway');
  const tries = {
    // The first try is no retry.
    ...(isRetried
      ? { attempts: Number(retry['attempts'] ?? 1) + 1 }
      : perTry !== undefined && { attempts: 1 }),
    ...(Array.isArray(retry['codes']) && { on: ['connect', 'reset', ...retry['codes'].map(Number)] }),
    ...(perTry !== undefined && perTry !== 'off' && { perTry }),
  };
  return { deadline: request, retry: Object.keys(tries).length === 0 ? undefined : tries };
}

// 0s says that there is no limit.
function limitOf(value: unknown, field: string): string | undefined {
  if (value === undefined) return undefined;
  const ms = durationMs(value, field);
  return ms === 0 ? 'off' : `${ms}ms`;
}
