import { Injectable, Optional } from '@nestjs/common';
import type { ConditionShape } from '../../conditions/condition.ts';
import type { Extras } from '../../conditions/cel-shapes.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import { NO_ROLES, type Holdings, type RoleBook } from '../../exchange/role-book.ts';
import { refusalOfNobody } from '../../exchange/challenge.ts';
import { Problem } from '../../problems/problem.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { below } from '../below-stage.ts';
import { depends, passes, type Judgement, type StageVerdict } from '../explained-stage.ts';
import type { RequestPaths, StageFactory, StageInput } from '../stage-factory.ts';
import { StageFault } from '../stage-fault.ts';
import type { Stage } from '../stage.ts';
import { AccessStage, type AccessEntry } from './access.stage.ts';
import { authorizationPolicy } from './authorization.policy.ts';
import type { AccessRule, Conditions } from './authorization.schema.ts';
import { checksOf, type Check } from './checks.ts';
import { tenantOf, type TenantReader } from './tenant.ts';

/** Compiles the authorize stage of routes that ask for roles, permissions or conditions. */
@Injectable()
export class AuthorizationStageFactory implements StageFactory {
  readonly policy = authorizationPolicy;

  constructor(@Optional() private readonly metrics?: Metrics) {}

  compile(input: StageInput): Stage | undefined {
    const { authorization } = input.policies;
    if (authorization === undefined) return undefined;
    const { access, ...own } = authorization;
    const isPublic =
      input.policies.authentication === undefined || input.policies.authentication === 'public';
    const isEmpty = Object.keys(own).length === 0;
    const usual = isEmpty ? undefined : this.#stage(own, input, isPublic);
    if (access === undefined) return usual;
    return new AccessStage(
      access.map((rule) => this.#entry(rule, input, isPublic)),
      usual,
      pathsOf(input),
      input.reach?.methods ?? [],
    );
  }

  // Its path has names of its own, whatever the route calls them.
  #entry({ path, methods, ...conditions }: AccessRule, input: StageInput, isPublic: boolean): AccessEntry {
    const matcher = pathsOf(input).matcher(path);
    const own = { ...input, pathParameters: matcher.parameters };
    try {
      const isForAll = input.reach?.isWithin(path) === true;
      const stage = this.#stage(conditions, own, isPublic, `access ${path}: `);
      return { methods, matcher, stage, path, isForAll };
    } catch (error) {
      if (!(error instanceof StageFault)) throw error;
      throw new StageFault(
        ['authorization'],
        `access ${path}: ${error.key.slice(1).join('.')}: ${error.message}`,
      );
    }
  }

  #stage(options: Conditions, input: StageInput, isPublic: boolean, lead = ''): AuthorizeStage {
    const checks = below(['authorization'], () => checksOf(options, shapeOf(input)));
    const asked = checks.find((one) => one.asksWho);
    if (isPublic && (asked !== undefined || options.tenant !== undefined))
      throw new Error(
        `authorization: ${lead}needs to know who calls, but the route is public; ${lead === '' ? 'remove one of the two' : 'say `authorization: off` there, or another path here'}`,
      );
    const tenant = options.tenant && tenantOf(options.tenant, input.pathParameters);
    const isShadow = options.mode === 'shadow';
    return new AuthorizeStage({
      checks,
      tenant,
      asksWho: asked !== undefined,
      routeId: input.routeId,
      shadow: isShadow ? (this.metrics ?? 'unseen') : undefined,
    });
  }
}

function pathsOf({ paths }: StageInput): RequestPaths {
  if (paths === undefined) throw new Error('authorization: `access` is for routes only');
  return paths;
}

function shapeOf({ pathParameters, fieldArguments }: StageInput): ConditionShape {
  return { params: pathParameters, args: fieldArguments, parent: fieldArguments && 'any' };
}

interface AuthorizeDeps {
  readonly checks: readonly Check[];
  readonly tenant: TenantReader | undefined;
  /** Whether it needs to be known who calls. */
  readonly asksWho: boolean;
  readonly routeId: string;
  /** Counts what would have been refused, which then is not. */
  readonly shadow: Metrics | 'unseen' | undefined;
}

/**
 * Lets pass who meets every check. Who does not is not told which one it was, but for scopes to ask for; the access
 * line is.
 */
export class AuthorizeStage implements Stage {
  readonly field: Stage['field'];
  /** Whether it looks at path parameters. */
  readonly readsParams: boolean;
  readonly #deps: AuthorizeDeps;

  constructor(deps: AuthorizeDeps) {
    this.#deps = deps;
    this.readsParams = deps.tenant !== undefined || deps.checks.some(({ names }) => names?.has('params'));
    const asksParent = deps.checks.some(({ names }) => names?.has('parent'));
    if (asksParent || deps.checks.some(({ names }) => names?.has('args')))
      this.field = {
        asksParent,
        decide: (exchange, args, parent) => this.#decide(exchange, { args, parent }),
      };
  }

  enter(exchange: Exchange): void {
    this.#decide(exchange, undefined);
  }

  /** The same, for path parameters that are not those of the route. @throws {Problem} `permission-denied` */
  enterWith(exchange: Exchange, params: NonNullable<Extras['params']>): void {
    this.#decide(exchange, { params });
  }

  #decide(exchange: Exchange, extras: Extras | undefined): void {
    const refused = this.#refusal(exchange, extras);
    if (refused === undefined) return;
    const { shadow, routeId } = this.#deps;
    if (shadow === undefined) throw refused;
    // Fails open, as it was asked for: nobody is refused by what is only tried out, and each one is told of.
    exchange.shadowDenied = refused.by;
    if (shadow !== 'unseen') shadow.authorization.shadowDenied(routeId, refused.by ?? '');
  }

  explain(exchange: Exchange): StageVerdict {
    return this.explainWith(exchange, undefined);
  }

  /** The same, for path parameters that are not those of the route. */
  explainWith(exchange: Exchange, params: Extras['params']): StageVerdict {
    if (exchange.principal === undefined && this.#deps.asksWho)
      return depends('it is up to who calls, and nobody is assumed');
    const refused = this.#refusal(exchange, params && { params });
    if (refused === undefined) return passes();
    if (this.#deps.shadow === undefined) throw refused;
    return passes({}, `in shadow: ${refused.by ?? ''} would refuse`);
  }

  judge(principal: Principal | undefined, roles: RoleBook): readonly [Judgement] {
    const { checks, asksWho, tenant, shadow } = this.#deps;
    if (principal === undefined && asksWho) return [refusing('nobody is known', shadow)];
    if (tenant !== undefined) return [{ may: 'depends', why: 'tenant' }];
    const holdings = principal === undefined ? NOBODY : roles.holdingsOf(principal);
    const depends: string[] = [];
    for (const { holdsFor, says } of checks)
      if (holdsFor === undefined) depends.push(says);
      else if (!isTrue(() => holdsFor(principal, holdings, roles))) return [refusing(says, shadow)];
    return [{ may: depends.length === 0 ? 'yes' : 'depends', why: depends.join(' ') }];
  }

  #refusal(exchange: Exchange, extras: Extras | undefined): Problem | undefined {
    const { principal } = exchange;
    const { checks, asksWho } = this.#deps;
    // Fails closed: nobody is nobody with permissions.
    if (principal === undefined && asksWho) return refusalOfNobody(exchange, 'no principal');
    const holdings = this.#holdingsOf(exchange, principal, extras);
    for (const check of checks) {
      try {
        if (check.holds(exchange, holdings, extras)) continue;
      } catch (error) {
        // Fails closed: what cannot be told, such as a field that is not there, lets nobody in.
        return new Problem('permission-denied', { by: `${check.by}: ${untold(error)}` });
      }
      return denied(check, principal);
    }
    return undefined;
  }

  #holdingsOf(exchange: Exchange, principal: Principal | undefined, extras: Extras | undefined): Holdings {
    const book = exchange.route?.roles ?? NO_ROLES;
    const { tenant } = this.#deps;
    if (principal === undefined) return NOBODY;
    return tenant === undefined
      ? book.holdingsOf(principal)
      : book.holdingsIn(principal, tenant(exchange, extras?.params));
  }
}

function refusing(by: string, shadow: AuthorizeDeps['shadow']): Judgement {
  return shadow === undefined ? { may: 'no', why: by } : { may: 'yes', why: `in shadow: ${by}` };
}

// What cannot be told is no.
function isTrue(asked: () => boolean): boolean {
  try {
    return asked();
  } catch {
    return false;
  }
}

const NOBODY: Holdings = { roles: new Set(), roleNames: [], permits: () => false, hasScope: () => false };

// Names of the expression and words of ours; a message of another kind could quote a value.
function untold(error: unknown): string {
  const { code } = error as { code?: unknown };
  if (error instanceof StageFault) return error.message;
  return typeof code === 'string' && /^[a-z_]+$/.test(code) ? code : 'cannot be told';
}

function denied({ lacking, by }: Check, principal: Principal | undefined): Problem {
  const isByToken = principal?.scheme === 'jwt' || principal?.scheme === 'introspection';
  if (lacking === undefined || !isByToken) return new Problem('permission-denied', { by });
  const { challenge, extensions } = lacking;
  // A token that is bound to a key is asked for by the scheme that it is presented by (RFC 9449 section 7.1).
  const scheme = hasKey(principal.claims['cnf']) ? 'DPoP' : 'Bearer';
  const headers = { 'www-authenticate': `${scheme} ${challenge}` };
  return new Problem('permission-denied', { by, headers, extensions });
}

function hasKey(confirmation: unknown): boolean {
  return typeof confirmation === 'object' && confirmation !== null && 'jkt' in confirmation;
}
