/** How a check went: nothing to do, something to look at, or something that will not work. */
export type Level = 'ok' | 'warn' | 'fail';

/** What a check found. It holds no secret. */
export interface Finding {
  readonly level: Level;
  /** What was found, in a sentence. */
  readonly what: string;
  /** The command or the key that mends it; absent for nothing to mend. */
  readonly mend?: string | undefined;
}

/** One thing of the surroundings that is looked at. */
export interface Check {
  /** What kind of thing: `issuer`, `redis`, `target`. */
  readonly name: string;
  /** Which one of them. */
  readonly subject: string;
  /** What mends it when no answer comes at all. */
  readonly mend?: string | undefined;
  /**
   * Looks. What is thrown is a failure.
   *
   * @param signal ends it: nobody waits any longer.
   */
  run(signal: AbortSignal): Promise<Outcome>;
}

/** A finding, and what is to be looked at besides because of it. */
export interface Outcome extends Finding {
  readonly more?: readonly Check[] | undefined;
}

/** A finding, and what it is about. */
export interface CheckResult extends Finding {
  readonly check: string;
  readonly subject: string;
}

/** How checks are run. */
export interface CheckLimits {
  /** How long one may take, in ms. */
  readonly timeoutMs: number;
  /** How many run at once. */
  readonly concurrency: number;
}

/** Runs checks side by side; the results are in their order, those of what a check has led to behind it. Never rejects. */
export async function runChecks(
  checks: readonly Check[],
  limits: CheckLimits,
): Promise<readonly CheckResult[]> {
  const seats = new Seats(limits.concurrency);
  const runAll = async (all: readonly Check[]): Promise<readonly CheckResult[]> => {
    const results = await Promise.all(all.map((check) => runOne(check)));
    return results.flat();
  };
  const runOne = async (check: Check): Promise<readonly CheckResult[]> => {
    await seats.take();
    const outcome = await inTime(check, limits.timeoutMs).finally(() => seats.giveBack());
    const { level, what, mend, more = [] } = outcome;
    const own = { check: check.name, subject: check.subject, level, what, mend };
    return [own, ...(await runAll(more))];
  };
  return runAll(checks);
}

async function inTime(check: Check, timeoutMs: number): Promise<Outcome> {
  const ending = new AbortController();
  const late = Promise.withResolvers<Outcome>();
  const timer = setTimeout(() => {
    late.resolve({ level: 'fail', what: `no answer within ${timeoutMs / 1000}s`, mend: check.mend });
  }, timeoutMs);
  try {
    return await Promise.race([check.run(ending.signal), late.promise]);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return { level: 'fail', what, mend: check.mend };
  } finally {
    clearTimeout(timer);
    ending.abort();
  }
}

/** So many at once; who comes first is next. */
class Seats {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(free: number) {
    this.#free = free;
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
