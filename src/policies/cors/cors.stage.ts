import type { z } from 'zod';
import type { Answer, Exchange } from '../../exchange/exchange.ts';
import { preflightMethod } from '../../exchange/preflight.ts';
import { addVary } from '../../exchange/vary.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { answers, changes, passes, type StageVerdict } from '../explained-stage.ts';
import type { ResponseHead, Stage } from '../stage.ts';
import { Problem } from '../../problems/problem.ts';
import { corsPolicy, originRules } from './cors.policy.ts';
import { compileOrigins, type OriginTest } from './origin-rules.ts';
import { grantOf, meetOf, type CorsTerms } from './preflight-grant.ts';

type CorsOptions = z.output<typeof corsPolicy.schema>;

const PREFIX = 'access-control-';
/** What a page is not granted is refused by its browser; there is nothing to say but that. */
const UNGRANTED = new Problem('permission-denied', { by: 'cors' });
const SWITCHING_PROTOCOLS = 101;
/** The body is empty, and all that there is to say is said at the head. */
const GRANT: Answer = Object.freeze({ status: 204, headers: Object.freeze([]), body: Buffer.alloc(0) });

/** Grants pages of other origins what the route says, on each head that is sent for it. */
class CorsStage implements Stage {
  readonly heads = 'all';
  readonly onlyAdds = true;
  readonly #takes: OriginTest;
  readonly #terms: CorsTerms;
  /** Whether the grant is the same for all, so that caches need not tell them apart. */
  readonly #isForAll: boolean;
  /** Fields of each grant but that of a preflight: a flat list. */
  readonly #granted: readonly string[];

  constructor(options: CorsOptions) {
    const rules = originRules(options.origins);
    const { credentials, privateNetwork, methods, headers, exposedHeaders, maxAge } = options;
    this.#takes = compileOrigins(rules);
    this.#isForAll = rules.includes('*');
    this.#terms = { isForAll: this.#isForAll, credentials, privateNetwork, methods, headers, maxAge };
    const allowed = credentials ? ['access-control-allow-credentials', 'true'] : [];
    const exposed =
      exposedHeaders.length > 0 ? ['access-control-expose-headers', exposedHeaders.join(', ')] : [];
    this.#granted = [...allowed, ...exposed];
  }

  preflight(): Answer {
    return GRANT;
  }

  head(exchange: Exchange, head: ResponseHead): void {
    if (head.status === SWITCHING_PROTOCOLS) return;
    const { headers } = head;
    dropGrants(headers);
    const { request } = exchange;
    const method = preflightMethod(request);
    // Also without an origin: a cache must not give this answer to a page.
    if (!this.#isForAll) addVary(headers, 'Origin');
    if (method !== undefined) {
      addVary(headers, 'Access-Control-Request-Method');
      addVary(headers, 'Access-Control-Request-Headers');
      if (this.#terms.privateNetwork) addVary(headers, 'Access-Control-Request-Private-Network');
    }
    if (method !== undefined) {
      if (!this.#answer(exchange, headers)) exchange.denied = UNGRANTED;
      return;
    }
    const { origin } = request.headers;
    const isTaken = origin !== undefined && this.#takes(origin);
    if (!isTaken && !this.#isForAll) return;
    headers.push('access-control-allow-origin', this.#isForAll ? '*' : (origin as string), ...this.#granted);
  }

  explain(exchange: Exchange): StageVerdict {
    const head: ResponseHead = { status: GRANT.status, headers: [] };
    this.head(exchange, head);
    const grants = head.headers.filter((name, i) => i % 2 === 0 && name.startsWith(PREFIX)).length > 0;
    const { origin } = exchange.request.headers;
    if (exchange.preflighted !== undefined)
      return answers(
        grants ? 'a preflight: granted' : 'a preflight: nothing is granted, the browser refuses',
      );
    if (origin === undefined) return passes({}, 'no page of another origin asks');
    return changes(
      grants ? `the page of ${origin} may read the answer` : `nothing is granted to the page of ${origin}`,
    );
  }

  /** A cookie is for pages that may send one. */
  welcomes({ request: { headers } }: Exchange): boolean {
    if (headers.origin === undefined || !this.#takes(headers.origin)) return false;
    return this.#terms.credentials || headers.cookie === undefined;
  }

  // Fails closed: what another route answers to an OPTIONS that looks like a preflight grants nothing of the one meant.
  #answer({ request: { headers: asked }, preflighted }: Exchange, headers: string[]): boolean {
    const { origin } = asked;
    if (preflighted === undefined || origin === undefined) return false;
    const stages = new Set<unknown>([this, ...preflighted.map(({ seats }) => seats[corsPolicy.name])]);
    let terms: CorsTerms = this.#terms;
    for (const stage of stages) {
      if (!(stage instanceof CorsStage) || !stage.#takes(origin)) return false;
      terms = meetOf(terms, stage.#terms);
      if (!terms.isForAll) addVary(headers, 'Origin');
    }
    headers.push(...grantOf(terms, asked));
    return true;
  }
}

/** What a service says about CORS is not said by the gateway: two grants are none to a browser. */
function dropGrants(headers: string[]): void {
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length > PREFIX.length && name.slice(0, PREFIX.length).toLowerCase() === PREFIX) continue;
    headers[kept] = name;
    headers[kept + 1] = headers[i + 1] as string;
    kept += 2;
  }
  headers.length = kept;
}

/** Compiles the `cors` policy. */
export class CorsStageFactory implements StageFactory {
  readonly policy = corsPolicy;

  compile({ policies }: StageInput): Stage | undefined {
    return policies.cors === undefined ? undefined : new CorsStage(policies.cors);
  }
}

/** Registers the policy in THE ORDER. */
export const cors = { policy: corsPolicy, factory: CorsStageFactory };
