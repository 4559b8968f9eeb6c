import { Environment, type ASTNode } from '@marcbachmann/cel-js';
import type { Exchange } from '../exchange/exchange.ts';
import type { Principal } from '../exchange/principal.ts';

/** Whether something holds for an exchange. Never throws: what cannot be told, such as a field that is not there, does not hold. */
export type ExchangeCondition = (exchange: Exchange) => boolean;

const MAX_LENGTH = 2000;
/** What an expression may consist of; what it can cost follows from that, for macros do not nest. */
const LIMITS = { maxAstNodes: 200, maxDepth: 20, maxListElements: 100, maxMapEntries: 50 };
const MACROS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);

class CelPrincipal {
  readonly id: string;
  readonly scheme: string;
  readonly issuer: string;
  readonly subject: string;
  readonly clientId: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly scopes: readonly string[];
  readonly email: string;
  readonly tenant: string;
  readonly tier: string;
  readonly claims: Readonly<Record<string, unknown>>;

  constructor(principal: Partial<Principal>) {
    this.id = principal.id ?? '';
    this.scheme = principal.scheme ?? '';
    this.issuer = principal.issuer ?? '';
    this.subject = principal.subject ?? '';
    this.clientId = principal.clientId ?? '';
    this.roles = principal.roles ?? [];
    this.permissions = principal.permissions ?? [];
    this.scopes = principal.scopes ?? [];
    this.email = principal.email ?? '';
    this.tenant = principal.tenant ?? '';
    this.tier = principal.tier ?? '';
    this.claims = principal.claims ?? {};
  }
}

class CelRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers: ReadonlyMap<string, unknown>;

  constructor({ method, host, path, request }: Exchange) {
    this.method = method;
    this.host = host;
    this.path = path;
    this.headers = new Map(Object.entries(request.headers));
  }
}

const text = 'string';
const texts = 'list<string>';
const environment = new Environment({ limits: LIMITS })
  .registerType('Principal', {
    ctor: CelPrincipal,
    fields: {
      id: text, scheme: text, issuer: text, subject: text, clientId: text, roles: texts, permissions: texts,
      scopes: texts, email: text, tenant: text, tier: text, claims: 'map<string, dyn>',
    }, // prettier-ignore
  })
  .registerType('Request', {
    ctor: CelRequest,
    fields: { method: text, host: text, path: text, headers: 'map<string, string>' },
  })
  .registerVariable('principal', 'Principal')
  .registerVariable('request', 'Request');

const NOBODY = new CelPrincipal({});
/** Made once for a principal, who is the same for many requests. */
const principals = new WeakMap<Principal, CelPrincipal>();

/**
 * Compiles an expression of CEL over `principal` and `request`. Nobody is a principal whose texts and lists are empty.
 *
 * @throws {Error} for the operator: what cannot be read, names and types that there are not, and what is no yes or no.
 */
export function compileCondition(expression: string): ExchangeCondition {
  if (expression.length > MAX_LENGTH) throw new Error(`expected at most ${MAX_LENGTH} characters`);
  const parsed = parse(expression);
  const { valid, type, error } = parsed.check();
  if (!valid) throw new Error(`cannot be evaluated: ${firstLine(error)}`);
  if (type !== 'bool')
    throw new Error(`expected a condition that is true or false, this is of type ${type ?? 'unknown'}`);
  refuseNested(parsed.ast, false);
  return (exchange) => {
    try {
      const principal = exchange.principal === undefined ? NOBODY : principalOf(exchange.principal);
      return parsed({ principal, request: new CelRequest(exchange) }) === true;
    } catch {
      return false;
    }
  };
}

function parse(expression: string): ReturnType<typeof environment.parse> {
  try {
    return environment.parse(expression);
  } catch (error) {
    throw new Error(`cannot be read: ${firstLine(error)}`, { cause: error });
  }
}

function firstLine(error: unknown): string {
  return (Error.isError(error) ? error.message : 'unknown').split('\n', 1)[0] ?? '';
}

// What runs over a list for each element of a list would cost the square of what a token can hold.
function refuseNested(node: unknown, isWithin: boolean): void {
  if (Array.isArray(node)) return node.forEach((one) => refuseNested(one, isWithin));
  if (typeof node !== 'object' || node === null || !('op' in node)) return;
  const { op, args } = node as ASTNode;
  const isMacro = op === 'rcall' && MACROS.has(String((args as readonly unknown[])[0]));
  if (isMacro && isWithin) throw new Error('expected no macro, such as `exists`, within another one');
  refuseNested(args, isWithin || isMacro);
}

function principalOf(principal: Principal): CelPrincipal {
  let made = principals.get(principal);
  if (made === undefined) principals.set(principal, (made = new CelPrincipal(principal)));
  return made;
}
