/** How many callers are told apart at once. */
export const MOST_CLIENTS = 256;
/** How many routes are told apart of each. */
const MOST_ROUTES = 8;
/** Each generation counts for so long; what is shown is of the one before and of this one. */
const GENERATION_MS = 5 * 60_000;

/** What a caller had left of the limits of a route when it was last looked at. */
export interface LeftOfLimits {
  readonly remaining: number;
  readonly limit: number;
  /** How long until nothing is missing, in ms from then on. */
  readonly resetMs: number;
  /** In ms since the epoch. */
  readonly at: number;
}

/** What is counted of a caller at one route. */
export interface RouteCount {
  requests: number;
  refused: number;
  /** Undefined where no limit was met. */
  left: LeftOfLimits | undefined;
}

/** What is counted of one caller. */
export interface ClientCount {
  readonly client: string;
  readonly kind: 'principal' | 'address';
  requests: number;
  refused: number;
  /** By how much `requests` may be too high. */
  error: number;
  readonly routes: Map<string, RouteCount>;
  limitedBy: string | undefined;
  limitedAt: number;
}

/** Something that a caller has asked for. */
export interface ClientNote {
  readonly client: string;
  readonly kind: ClientCount['kind'];
  readonly route: string;
  /** How many requests it stands for. */
  readonly weight: number;
  readonly isRefused: boolean;
  /** What has refused it for asking too often; undefined for anything else. */
  readonly limitedBy?: string | undefined;
  /** What its limits have left it; undefined without any. */
  readonly left?: Pick<LeftOfLimits, 'remaining' | 'limit' | 'resetMs'> | undefined;
}

/**
 * Who asks most, in bounded memory: the space-saving sketch of Metwally, Agrawal and El Abbadi (2005). Who is not among those
 * that are counted takes the place of the least of them, and its count: whoever asks for more than one of so many requests is there.
 */
export class ClientSketch {
  readonly #now: () => number;
  readonly #most: number;
  #counts = new Map<string, ClientCount>();
  #before = new Map<string, ClientCount>();
  #since: number;
  #beforeSince: number;

  /** @param most how many are told apart. */
  constructor(now: () => number = Date.now, most = MOST_CLIENTS) {
    this.#now = now;
    this.#most = most;
    this.#since = this.#beforeSince = now();
  }

  /** Since when callers are counted, in ms since the epoch. */
  get since(): number {
    return this.#beforeSince;
  }

  get size(): number {
    return this.#counts.size + this.#before.size;
  }

  /** Takes note of what somebody has asked for. */
  note({ client, kind, route, weight, isRefused, limitedBy, left: found }: ClientNote): void {
    const count = this.#counts.get(client) ?? this.#enter(client, kind);
    count.requests += weight;
    if (isRefused) count.refused += weight;
    const left = found && { ...amountsOf(found), at: this.#now() };
    const ofRoute = count.routes.get(route);
    if (ofRoute !== undefined) {
      ofRoute.requests += weight;
      if (isRefused) ofRoute.refused += weight;
      if (left !== undefined) ofRoute.left = left;
    } else if (count.routes.size < MOST_ROUTES || dropLeast(count.routes, weight))
      count.routes.set(route, { requests: weight, refused: isRefused ? weight : 0, left });
    if (limitedBy === undefined) return;
    count.limitedBy = limitedBy;
    count.limitedAt = this.#now();
  }

  /** Begins another generation when it is time. */
  look(): void {
    const now = this.#now();
    if (now - this.#since < GENERATION_MS) return;
    this.#before = this.#counts;
    this.#beforeSince = this.#since;
    this.#counts = new Map();
    this.#since = now;
  }

  /** Those that are counted, in no order. */
  all(): readonly ClientCount[] {
    const all = new Map<string, ClientCount>();
    for (const one of [...this.#before.values(), ...this.#counts.values()]) {
      const known = all.get(one.client);
      all.set(one.client, known === undefined ? one : together(known, one));
    }
    return [...all.values()];
  }

  #enter(client: string, kind: ClientCount['kind']): ClientCount {
    let error = 0;
    if (this.#counts.size >= this.#most) {
      let least: ClientCount | undefined = undefined;
      for (const one of this.#counts.values())
        if (least === undefined || one.requests < least.requests) least = one;
      if (least !== undefined) {
        error = least.requests;
        this.#counts.delete(least.client);
      }
    }
    const count: ClientCount = {
      client,
      kind,
      requests: error,
      refused: 0,
      error,
      routes: new Map(),
      limitedBy: undefined,
      limitedAt: 0,
    };
    this.#counts.set(client, count);
    return count;
  }
}

function amountsOf({ remaining, limit, resetMs }: NonNullable<ClientNote['left']>): Omit<LeftOfLimits, 'at'> {
  return { remaining, limit, resetMs };
}

/** Makes room where somebody asks for more than the least does. */
function dropLeast(routes: ClientCount['routes'], weight: number): boolean {
  let [least, fewest] = ['', Infinity];
  for (const [route, { requests }] of routes) if (requests < fewest) [least, fewest] = [route, requests];
  if (fewest > weight * 2) return false;
  return routes.delete(least);
}

function together(before: ClientCount, now: ClientCount): ClientCount {
  const routes = new Map([...before.routes].map(([route, count]) => [route, { ...count }]));
  for (const [route, { requests, refused, left }] of now.routes) {
    const known = routes.get(route);
    if (known === undefined) routes.set(route, { requests, refused, left });
    else {
      [known.requests, known.refused] = [known.requests + requests, known.refused + refused];
      known.left = left ?? known.left;
    }
  }
  return {
    ...now,
    requests: before.requests + now.requests,
    refused: before.refused + now.refused,
    error: before.error + now.error,
    routes,
    limitedBy: now.limitedBy ?? before.limitedBy,
    limitedAt: now.limitedAt === 0 ? before.limitedAt : now.limitedAt,
  };
}
