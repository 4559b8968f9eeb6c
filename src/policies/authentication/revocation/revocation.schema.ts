import { z } from 'zod';
import { duration } from '../../../config/units.ts';

/** How many revocations a process can be asked to keep: 40 bytes each, with room to grow. */
const MOST = 10_000_000;

function between(fromMs: number, toMs: number, text: string) {
  return duration.refine((ms) => ms >= fromMs && ms <= toMs, `expected a duration between ${text}`);
}

/** `identity.revocation`: whether credentials can be taken back before they expire. */
export const revocationSchema = z
  .strictObject({
    onStoreError: z
      .enum(['open', 'closed'])
      .default('closed')
      .describe(
        'What becomes of callers while it cannot be known who is revoked, because Redis is gone: `closed` answers 503, `open` goes by what is known. Default closed.',
      ),
    staleAfter: between(500, 3_600_000, '500ms and 1h')
      .prefault('3s')
      .describe('How long Redis may be silent before it counts as gone. Default 3s.'),
    longest: between(1000, 366 * 86_400_000, '1s and 366d')
      .prefault('1d')
      .describe(
        'The longest life of a token, and how long a revocation is kept; a token that lives longer is refused. Default 1d.',
      ),
    max: z
      .int()
      .min(1)
      .max(MOST)
      .default(1_000_000)
      .describe(
        'How many revocations there may be at once. One more cannot be known, which is treated as `onStoreError` says. Default 1000000.',
      ),
  })
  .describe('Has credentials revoked before they expire. Default: they cannot be.');

/** The parsed `identity.revocation`. */
export type RevocationOptions = z.output<typeof revocationSchema>;
