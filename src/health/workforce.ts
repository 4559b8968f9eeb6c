/** How many processes serve on the same listeners. */
export interface Workforce {
  readonly serving: number;
  readonly wanted: number;
  /** Whether all of them have served at once, or it was given up to wait for that. */
  readonly isComplete: boolean;
}

/** The processes beside this one. Written by what hears of them, read by readiness, which speaks for all of them. */
export class Siblings {
  /** Undefined for a process that serves alone. */
  workforce: Workforce | undefined = undefined;
}
