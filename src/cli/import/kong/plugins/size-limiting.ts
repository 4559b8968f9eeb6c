import { z } from 'zod';
import type { Plugin, Translation } from '../plugin.ts';

const UNITS: Readonly<Record<string, string>> = { megabytes: 'MiB', kilobytes: 'KiB', bytes: 'B' };

/** The largest body; Kong's megabytes have 2^20 bytes. */
export function translateSizeLimiting({ config }: Plugin): Translation {
  config.skipDefaults({ require_content_length: false });
  const unit = UNITS[config.get('size_unit', z.enum(['megabytes', 'kilobytes', 'bytes'])) ?? 'megabytes'];
  const size = config.get('allowed_payload_size', z.int().min(0)) ?? 128;
  return { policies: { bodyLimit: `${size}${unit}` } };
}
