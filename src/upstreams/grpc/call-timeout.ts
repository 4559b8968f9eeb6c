const TIMEOUT = /^(\d{1,8})([HMSmun])$/;

/** How many ms a unit has. */
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** The value of `grpc-timeout` in ms (gRPC over HTTP/2, Timeout); `NaN` for what is none. */
export function timeoutMs(text: string): number {
  const [, digits = '', unit = ''] = TIMEOUT.exec(text) ?? [];
  return digits === '' ? NaN : Number(digits) * (UNIT_MS[unit] as number);
}
