/** How many exchanges are kept in a second: the rest is only counted, so that a flood costs nothing here. */
export const KEPT_A_SECOND = 100;
/** How many of them of one route. */
export const KEPT_OF_ROUTE_A_SECOND = 10;
/** How many runs are kept in a second only for their waterfall. */
export const SAMPLES_A_SECOND = 5;
/** How many exchanges are watched in a second, so that it is known where their time goes. */
export const WATCHED_A_SECOND = 20;

/** What may be done in one second. Begun anew by a timer. */
export class KeepBudget {
  #kept = 0;
  #watched = 0;
  #samples = 0;
  readonly #ofRoutes = new Map<string, number>();

  /** Whether one of a route may be kept. */
  keeps(route: string): boolean {
    const ofRoute = this.#ofRoutes.get(route) ?? 0;
    if (this.#kept >= KEPT_A_SECOND || ofRoute >= KEPT_OF_ROUTE_A_SECOND) return false;
    this.#kept += 1;
    this.#ofRoutes.set(route, ofRoute + 1);
    return true;
  }

  /** Whether one may be kept only for its waterfall. */
  samples(): boolean {
    if (this.#samples >= SAMPLES_A_SECOND) return false;
    this.#samples += 1;
    return true;
  }

  /** Whether another exchange is watched. */
  watches(): boolean {
    if (this.#watched >= WATCHED_A_SECOND) return false;
    this.#watched += 1;
    return true;
  }

  /** Another second has begun. */
  renew(): void {
    this.#kept = 0;
    this.#watched = this.#samples = 0;
    if (this.#ofRoutes.size > 0) this.#ofRoutes.clear();
  }
}
