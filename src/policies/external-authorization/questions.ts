import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';
import type { Exchange } from '../../exchange/exchange.ts';
import { partitionOf } from '../../exchange/principal.ts';
import { paramsOf } from '../../conditions/path-params.ts';
import type { externalAuthorizationPolicy } from './external-authorization.policy.ts';
import { FieldList } from './field-lists.ts';
import type { AuthorizationCheck } from '../../exchange/authorization-check.ts';
import type { Outside, OutsideRequest } from './outside.ts';

/** The options of the policy. */
export type ExternalOptions = z.output<(typeof externalAuthorizationPolicy)['schema']>;

/** What somebody outside has decided. */
export interface Decision {
  readonly allowed: boolean;
  /** Of one who is let in: fields for the service behind. */
  readonly fields: readonly string[];
  /** Of one who is refused: what the client hears, where it is passed on. */
  readonly refusal:
    | { readonly status: number; readonly fields: readonly string[]; readonly body: string }
    | undefined;
}

/** A question that is ready to be asked. */
export interface Question {
  /** Equal for equal questions: all that the answer can depend on. */
  readonly key: string;
  ask(outside: Outside, exchange: Exchange): Promise<Decision>;
}

/** How somebody is asked. */
export interface Questioner {
  /** The fields, folded, that only its answers can say. */
  readonly vouched: ReadonlySet<string>;
  readonly protocol: 'http' | 'grpc';
  questionOf(exchange: Exchange): Question;
}

const ALLOWED: Decision = { allowed: true, fields: [], refusal: undefined };
const REFUSED: Decision = { allowed: false, fields: [], refusal: undefined };
const NONE: ReadonlySet<string> = new Set();
const MAX_REFUSAL = 64 * 1024;

/** Compiles how somebody is asked. */
export function questionerOf(options: ExternalOptions): Questioner {
  if (options.opa !== undefined) return opaQuestioner(options, options.opa);
  if (options.forward !== undefined) return forwardQuestioner(options, options.forward);
  if (options.extAuthz !== undefined) return checkQuestioner(options, options.extAuthz);
  throw new Error('expected somebody to ask');
}

function opaQuestioner(
  { upstream, timeout }: ExternalOptions,
  { path, requestHeaders }: NonNullable<ExternalOptions['opa']>,
): Questioner {
  const fields = ['content-type', 'application/json', 'accept', 'application/json'];
  return {
    vouched: NONE,
    protocol: 'http',
    questionOf(exchange) {
      const body = JSON.stringify({ input: inputOf(exchange, requestHeaders) });
      const request: OutsideRequest = { method: 'POST', path, fields, body };
      return {
        key: body,
        ask: async (outside) => {
          const answer = await outside.ask(exchange, upstream, request, timeout);
          if (answer.status !== 200) throw new Error(`it answers ${answer.status}`);
          const { result } = JSON.parse(answer.body.toString()) as { result?: unknown };
          // What is undefined has no `result`, and lets nobody in (fails closed).
          const isAllowed = result === true || (isObject(result) && result['allow'] === true);
          return isAllowed ? ALLOWED : REFUSED;
        },
      };
    },
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function inputOf(exchange: Exchange, names: readonly string[]): object {
  const { principal, method, host, path, query, scheme, route, clientAddress } = exchange;
  const who = principal && {
    id: principal.id,
    scheme: principal.scheme,
    issuer: principal.issuer,
    clientId: principal.clientId,
    roles: principal.roles,
    permissions: principal.permissions,
    scopes: principal.scopes,
    email: principal.email,
    tenant: principal.tenant,
    tier: principal.tier,
    claims: principal.claims,
  };
  return {
    principal: who ?? null,
    request: { method, host, path, query, scheme, headers: fieldsOf(exchange, names) },
    route: { id: route?.id, path: route?.pattern.source },
    params: Object.fromEntries(paramsOf(exchange)),
    client: { ip: clientAddress },
  };
}

function fieldsOf({ request: { headers } }: Exchange, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value] as const] : [];
    }),
  );
}

function forwardQuestioner(
  { upstream, timeout }: ExternalOptions,
  { path, requestHeaders, headers, passRefusal, refusalHeaders }: NonNullable<ExternalOptions['forward']>,
): Questioner {
  const [taken, told] = [new FieldList(headers), new FieldList(refusalHeaders)];
  return {
    vouched: taken.folded,
    protocol: 'http',
    questionOf(exchange) {
      const { method, scheme, host, clientAddress } = exchange;
      const own = [
        'x-forwarded-method', method, 'x-forwarded-proto', scheme, 'x-forwarded-host', host,
        'x-forwarded-uri', exchange.path + exchange.query, 'x-forwarded-for', clientAddress,
      ]; // prettier-ignore
      const fields = [...own, ...Object.entries(fieldsOf(exchange, requestHeaders)).flat()];
      const key = JSON.stringify([fields, whoOf(exchange)]);
      return {
        key,
        ask: async (outside) => {
          const answer = await outside.ask(
            exchange,
            upstream,
            { method: 'GET', path, fields, body: undefined },
            timeout,
          );
          const { status } = answer;
          if (status >= 200 && status <= 299) return { ...ALLOWED, fields: taken.of(flat(answer.headers)) };
          if (status >= 500) throw new Error(`it answers ${status}`);
          if (!passRefusal || status < 300) return REFUSED;
          return {
            ...REFUSED,
            refusal: refusalOf(status, told.of(flat(answer.headers)), answer.body.toString()),
          };
        },
      };
    },
  };
}

function checkQuestioner(
  { upstream, timeout }: ExternalOptions,
  { context, requestHeaders, headers, passRefusal, refusalHeaders }: NonNullable<ExternalOptions['extAuthz']>,
): Questioner {
  const [taken, told] = [new FieldList(headers), new FieldList(refusalHeaders)];
  return {
    vouched: taken.folded,
    protocol: 'grpc',
    questionOf(exchange) {
      const { method, scheme, host, path, query, clientAddress } = exchange;
      const question: AuthorizationCheck = {
        method,
        path: path + query,
        host,
        scheme,
        headers: fieldsOf(exchange, requestHeaders),
        address: clientAddress,
        principal: exchange.principal?.id ?? '',
        context,
      };
      return {
        key: JSON.stringify([question, whoOf(exchange)]),
        ask: async (outside) => {
          const { allowed, status, fields, body } = await outside.check(
            exchange,
            upstream,
            question,
            timeout,
          );
          if (allowed) return { ...ALLOWED, fields: taken.of(fields) };
          if (!passRefusal) return REFUSED;
          return { ...REFUSED, refusal: refusalOf(status, told.of(fields), body) };
        },
      };
    },
  };
}

/** Who calls, as services are told with each call: an answer may depend on that. */
function whoOf({ principal }: Exchange): unknown {
  return principal === undefined
    ? null
    : [partitionOf(principal), principal.roles, principal.email, principal.tenant, principal.clientId];
}

// What is no refusal is none that a client could understand.
function refusalOf(status: number, fields: readonly string[], body: string): Decision['refusal'] {
  if (body.length > MAX_REFUSAL) throw new Error('its refusal is too large');
  return { status: status >= 300 && status <= 499 ? status : 403, fields, body };
}

function flat(headers: IncomingHttpHeaders): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().flatMap((one) => [name, one]),
  );
}
