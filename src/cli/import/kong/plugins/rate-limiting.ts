import { z } from 'zod';
import type { Plugin, Translation } from '../plugin.ts';

const PERIODS = { second: '1s', minute: '1m', hour: '1h', day: '1d', month: '30d', year: '365d' } as const;
/** Windows of days and shorter begin where Kong's do; months and years have no fixed length. */
const ROLLING: Readonly<Record<string, true>> = { month: true, year: true };
const KEYS: Readonly<Record<string, string>> = {
  consumer: 'principal',
  credential: 'principal',
  ip: 'ip',
  service: 'global',
};

/** Each window becomes a fixed window; a request has to pass all of them. */
export function translateRateLimiting({ config, source }: Plugin): Translation {
  config.skipDefaults({
    hide_client_headers: false,
    error_code: 429,
    error_message: 'API rate limit exceeded',
    sync_rate: -1,
  });
  const by = config.get('limit_by', z.string()) ?? 'consumer';
  const key = KEYS[by] ?? 'ip';
  if (KEYS[by] === undefined)
    source.note('differs', `limited by address: there are no limits by ${by}`, 'config');
  config.skip('header_name', 'path');
  const store = config.get('policy', z.string()) ?? 'local';
  config.skip('redis', ...REDIS_KEYS);
  if (store !== 'local') source.note('todo', 'set REDIS_URL, so that all replicas count together');
  const onStoreError = config.get('fault_tolerant', z.boolean()) === false ? { onStoreError: 'closed' } : {};
  const windows = Object.entries(PERIODS).flatMap(([period, per]) => {
    const rate = config.get(period, z.int().min(1));
    if (rate !== undefined && period in ROLLING)
      source.note(
        'differs',
        `windows of ${per}, where Kong begins with each ${period} of the calendar`,
        period,
      );
    return rate === undefined ? [] : [{ key, algorithm: 'fixedWindow', rate, per, ...onStoreError }];
  });
  if (windows.length === 0) return {};
  source.note('differs', 'each route counts for itself');
  return { policies: { rateLimit: windows.length === 1 ? windows[0] : windows } };
}

const REDIS_KEYS = [
  'host',
  'port',
  'password',
  'username',
  'ssl',
  'ssl_verify',
  'server_name',
  'timeout',
  'database',
].map((name) => `redis_${name}`);
