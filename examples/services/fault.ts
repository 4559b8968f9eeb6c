/** The faults that every sample service can be switched to while it runs. */

/**
 * How a service misbehaves: `slow` waits before it answers, `fail` answers 500 / INTERNAL, `unavailable`
 * answers 503 / UNAVAILABLE, `garbage` answers 200 / OK with bytes that do not parse, `dead` stops
 * listening and destroys open connections.
 */
export type Fault = 'none' | 'fail' | 'unavailable' | 'garbage' | 'dead' | { readonly slow: number };

/** The names of all faults, as the control server takes them. */
export const FAULT_MODES = ['none', 'slow', 'fail', 'unavailable', 'garbage', 'dead'] as const;

/** The longest delay in milliseconds; longer is a typing mistake more often than a wish. */
export const MAX_DELAY_MS = 600_000;

/** A fault as JSON: `{ "mode": "slow", "delayMs": 800 }`. */
export interface FaultDocument {
  readonly mode: (typeof FAULT_MODES)[number];
  /** Milliseconds; only with `slow`. */
  readonly delayMs?: number;
}

/**
 * Reads a {@link FaultDocument} that came from outside.
 *
 * @throws {TypeError} naming the key and what is allowed there.
 */
export function parseFault(document: unknown): Fault {
  if (typeof document !== 'object' || document === null) {
    throw new TypeError(`a JSON object is expected, for example {"mode":"slow","delayMs":800}`);
  }
  const { mode, delayMs } = document as { mode?: unknown; delayMs?: unknown };
  const known = FAULT_MODES.find((name) => name === mode);
  if (known === undefined) throw new TypeError(`mode: one of ${FAULT_MODES.join(', ')} is expected`);
  if (known !== 'slow') return known;
  if (typeof delayMs !== 'number' || !(delayMs >= 0 && delayMs <= MAX_DELAY_MS)) {
    throw new TypeError(
      `delayMs: a number of milliseconds from 0 to ${MAX_DELAY_MS} is expected with mode slow`,
    );
  }
  return { slow: delayMs };
}

/** Writes a fault the way {@link parseFault} reads it. */
export function describeFault(fault: Fault): FaultDocument {
  return typeof fault === 'string' ? { mode: fault } : { mode: 'slow', delayMs: fault.slow };
}
