/** Randomness has 56 bits: the last ones of a trace id. */
const DIGITS = 14;
const ID_DIGITS = 32;
const ALL = 2 ** 56;
/** So exact is a share, in digits after those that are `f`. */
const EXACT_DIGITS = 5;

/**
 * From where on a trace is sampled (OpenTelemetry, *Consistent probability sampling*): 14 hex digits, to be compared with its
 * randomness as texts are; undefined for never.
 *
 * @param ratio from 0 to 1.
 */
export function thresholdOf(ratio: number): string | undefined {
  if (ratio <= 0) return undefined;
  if (ratio >= 1) return '0'.repeat(DIGITS);
  const all = BigInt(Math.round((1 - ratio) * ALL))
    .toString(16)
    .padStart(DIGITS, '0');
  const leading = /^f*/.exec(all)?.[0].length ?? 0;
  const unit = 16n ** BigInt(Math.max(0, DIGITS - leading - EXACT_DIGITS));
  const rounded = ((BigInt(`0x${all}`) + unit / 2n) / unit) * unit;
  const digits = rounded.toString(16).padStart(DIGITS, '0');
  // What would round to "never" is what there is of the smallest share.
  return digits.length > DIGITS ? 'f'.repeat(DIGITS) : digits;
}

/** A threshold as `th` of `tracestate` says it: without the zeros at its end. */
export function shownThreshold(threshold: string): string {
  return threshold.replace(/0+$/, '') || '0';
}

/** Whether a trace is among those of a share: all who decide by the same share decide alike. */
export function isAmong(traceId: string, threshold: string | undefined, randomness?: string): boolean {
  if (threshold === undefined) return false;
  return (randomness ?? traceId.slice(ID_DIGITS - DIGITS)) >= threshold;
}
