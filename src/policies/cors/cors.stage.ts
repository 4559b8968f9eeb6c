import type { z } from 'zod';
import type { Answer, Exchange } from '../../exchange/exchange.ts';
import { preflightMethod } from '../../exchange/preflight.ts';
import { addVary } from '../../exchange/vary.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import type { ResponseHead, Stage } from '../stage.ts';
import { corsPolicy, originRules } from './cors.policy.ts';
import { compileOrigins, type OriginTest } from './origin-rules.ts';

type CorsOptions = z.output<typeof corsPolicy.schema>;

const PREFIX = 'access-control-';
const SWITCHING_PROTOCOLS = 101;
/** The body is empty, and all that there is to say is said at the head. */
const GRANT: Answer = Object.freeze({ status: 204, headers: Object.freeze([]), body: Buffer.alloc(0) });
const FIELD_NAMES = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[\t ]*,[\t ]*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*$/;
const MAX_NAMES_LENGTH = 4096;

/** Grants pages of other origins what the route says, on each head that is sent for it. */
class CorsStage implements Stage {
  readonly heads = 'all';
  readonly onlyAdds = true;
  readonly #takes: OriginTest;
  /** Whether the grant is the same for all, so that caches need not tell them apart. */
  readonly #isForAll: boolean;
  readonly #credentials: boolean;
  readonly #privateNetwork: boolean;
  readonly #methods: string | undefined;
  readonly #headers: string | undefined;
  /** Fields of each grant, and of that of a preflight: flat lists. */
  readonly #granted: readonly string[];
  readonly #asked: readonly string[];

  constructor(options: CorsOptions) {
    const rules = originRules(options.origins);
    const { credentials, privateNetwork, methods, headers, exposedHeaders, maxAge } = options;
    this.#takes = compileOrigins(rules);
    this.#isForAll = rules.includes('*');
    this.#credentials = credentials;
    this.#privateNetwork = privateNetwork;
    this.#methods = methods?.join(', ');
    this.#headers = headers?.join(', ');
    const allowed = credentials ? ['access-control-allow-credentials', 'true'] : [];
    const exposed =
      exposedHeaders.length > 0 ? ['access-control-expose-headers', exposedHeaders.join(', ')] : [];
    const age = maxAge === undefined ? [] : ['access-control-max-age', String(Math.floor(maxAge / 1000))];
    this.#granted = [...allowed, ...exposed];
    this.#asked = [...allowed, ...age];
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
      if (this.#privateNetwork) addVary(headers, 'Access-Control-Request-Private-Network');
    }
    const { origin } = request.headers;
    const isTaken = origin !== undefined && this.#takes(origin);
    if (!isTaken && !(this.#isForAll && method === undefined)) return;
    headers.push('access-control-allow-origin', this.#isForAll ? '*' : (origin as string));
    if (method === undefined) headers.push(...this.#granted);
    else this.#answer(exchange, headers, method);
  }

  /** A cookie is for pages that may send one. */
  welcomes({ request: { headers } }: Exchange): boolean {
    if (headers.origin === undefined || !this.#takes(headers.origin)) return false;
    return this.#credentials || headers.cookie === undefined;
  }

  #answer({ request }: Exchange, headers: string[], method: string): void {
    const names = this.#headers ?? request.headers['access-control-request-headers'];
    headers.push('access-control-allow-methods', this.#methods ?? method);
    if (typeof names === 'string' && names.length <= MAX_NAMES_LENGTH && FIELD_NAMES.test(names))
      headers.push('access-control-allow-headers', names);
    headers.push(...this.#asked);
    if (this.#privateNetwork && request.headers['access-control-request-private-network'] === 'true')
      headers.push('access-control-allow-private-network', 'true');
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
