/** A part of the time of an exchange, as `Server-Timing` names it. */
export interface TimedPart {
  readonly name: string;
  readonly ms: number;
}

/**
 * Where the time of an exchange goes, for who may see it, and of those that operators watch; absent from all others. All times are on the clock of
 * `performance.now()`. What overlaps counts once: attempts beside each other are as long as all of them together took, and what
 * a stage asks of an upstream is the stage's.
 */
export class Timings {
  readonly #startedAt: number;
  #begunAt: number;
  /** By policy, in the order in which they were first entered. */
  readonly #stages = new Map<string, number>();
  #stagesMs = 0;
  #entered = 0;
  #attempts = 0;
  #attemptAt = 0;
  #upstreamMs = 0;
  #answeredAt: number | undefined = undefined;
  #queueMs = 0;
  #waitingSince: number | undefined = undefined;
  /** Whether who calls may be told, where the route says who may; undefined: it does not say. */
  audience: (() => boolean) | undefined = undefined;

  /** @param startedAt when the exchange began. @param begunAt when the first stage of its route was entered. */
  constructor(startedAt: number, begunAt: number) {
    this.#startedAt = startedAt;
    this.#begunAt = begunAt;
  }

  /** The first stage of the route is entered, of an exchange that was watched before. */
  begin(now: number): void {
    if (this.#begunAt === this.#startedAt) this.#begunAt = now;
  }

  /** A stage is entered. */
  entering(): void {
    this.#entered += 1;
  }

  /** It has passed, answered, or refused. */
  left(name: string, enteredAt: number, now: number): void {
    this.#entered -= 1;
    const ms = now - enteredAt;
    this.#stages.set(name, (this.#stages.get(name) ?? 0) + ms);
    this.#stagesMs += ms;
  }

  /** An attempt waits for a target, or until it is made again. */
  waiting(now: number): void {
    if (this.#entered === 0 && this.#attempts === 0) this.#waitingSince ??= now;
  }

  /** An attempt at a target begins. */
  attempting(now: number): void {
    if (this.#entered > 0) return;
    this.#attempts += 1;
    if (this.#attempts > 1) return;
    this.#attemptAt = now;
    if (this.#waitingSince !== undefined) this.#queueMs += now - this.#waitingSince;
    this.#waitingSince = undefined;
  }

  /** Its outcome is known: of an answer that streams, its head. */
  attempted(now: number): void {
    if (this.#attempts === 0) return;
    this.#attempts -= 1;
    if (this.#attempts > 0) return;
    this.#upstreamMs += now - this.#attemptAt;
    this.#answeredAt = now;
  }

  /** The parts of the time until now, which add up to the last one, `total`. */
  parts(now: number): readonly TimedPart[] {
    const totalMs = now - this.#startedAt;
    const parseMs = this.#begunAt - this.#startedAt;
    const upstreamMs = this.#upstreamMs + (this.#attempts > 0 ? now - this.#attemptAt : 0);
    const queueMs = this.#queueMs + (this.#waitingSince === undefined ? 0 : now - this.#waitingSince);
    const isAnswered = this.#answeredAt !== undefined && this.#attempts === 0;
    const restMs = Math.max(0, totalMs - parseMs - this.#stagesMs - queueMs - upstreamMs);
    const serializeMs = isAnswered ? Math.min(restMs, now - (this.#answeredAt ?? now)) : 0;
    const parts = [{ name: 'parse', ms: parseMs }];
    for (const [name, ms] of this.#stages) parts.push({ name, ms });
    parts.push({ name: 'handle', ms: restMs - serializeMs });
    if (upstreamMs > 0 || queueMs > 0) parts.push({ name: 'queue', ms: queueMs });
    if (upstreamMs > 0) parts.push({ name: 'upstream', ms: upstreamMs });
    if (isAnswered) parts.push({ name: 'serialize', ms: serializeMs });
    parts.push({ name: 'total', ms: totalMs });
    return parts;
  }
}

/** Whether who calls may be told how long sections of an answer took: everybody, unless the route says who may see its times. */
export function mayBeTold({ timings }: { readonly timings: Timings | undefined }): boolean {
  return timings?.audience?.() ?? true;
}
