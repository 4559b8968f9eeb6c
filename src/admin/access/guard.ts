import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DenialReason } from '../../telemetry/admin-metrics.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { relayed } from '../relayed-requests.ts';
import type { AdminAccess } from './admin-access.ts';
import { pageFault } from './page-rules.ts';
import { formFault } from './request-form.ts';
import { includesRole, type Caller, type Refusal, type Verdict } from './roles.ts';
import '../operation.ts';

const UNMARKED = 'this operation says no role, so that nobody may';

const verdicts = new WeakMap<FastifyRequest, Verdict>();
const denials = new WeakMap<FastifyRequest, DenialReason>();

/** Why a request was refused; undefined for one that was not. */
export function denialOf(request: FastifyRequest): DenialReason | undefined {
  return denials.get(request);
}

/** Who asks; undefined for who is not let in. */
export function callerOf(request: FastifyRequest): Caller | undefined {
  const verdict = verdicts.get(request);
  return verdict !== undefined && 'caller' in verdict ? verdict.caller : undefined;
}

/** Says who asks, of a request that shows it by what it is about: one to log in. */
export function judged(request: FastifyRequest, verdict: Verdict): void {
  verdicts.set(request, verdict);
}

/** Why who asks is not let in; undefined for who is. */
export function refusalOf(request: FastifyRequest): Refusal | undefined {
  const verdict = verdicts.get(request);
  return verdict !== undefined && 'refusal' in verdict ? verdict.refusal : undefined;
}

/**
 * Keeps out pages of others, callers that nobody knows, and callers whose role does not include that of the operation. Fails
 * closed: an operation without a role is nobody's.
 */
export function guardOperations(
  server: FastifyInstance,
  access: AdminAccess,
  metrics: Pick<Metrics, 'admin'>,
): void {
  const deny = (reply: FastifyReply, reason: DenialReason, status: number, error: string): FastifyReply => {
    metrics.admin.denied(reason);
    denials.set(reply.request, reason);
    return reply.code(status).send({ error });
  };
  server.addHook('onRequest', async (request, reply) => {
    const told = relayed.getStore();
    const { config } = request.routeOptions;
    // What another process has taken it has judged: it sees who is connected, and how the request was written.
    const form = told === undefined ? formFault(request.raw) : told.formFault;
    if (form !== undefined) return deny(reply, 'malformed', 400, form);
    const facts = { method: request.method, headers: request.headers, isPage: config.isPage === true };
    const place = told ?? { localAddress: request.socket.localAddress, isTls: access.isTls };
    const fault = pageFault({ ...facts, localAddress: place.localAddress, isTls: place.isTls }, access.hosts);
    if (fault !== undefined) return deny(reply, 'page', 403, fault);
    if (request.is404) return undefined;
    const verdict = told?.verdict ?? access.judge(request.raw);
    verdicts.set(request, verdict);
    const { operation, role } = config;
    if (role === undefined || operation === undefined) return deny(reply, 'unmarked', 403, UNMARKED);
    if (role === 'anyone') return undefined;
    if ('refusal' in verdict) return refuse(reply, verdict.refusal, metrics);
    if (includesRole(verdict.caller.role, role)) return undefined;
    const { name, role: own } = verdict.caller;
    return deny(reply, 'role', 403, `"${name ?? '-'}" has the role ${own}, and ${operation} needs ${role}`);
  });
}

/** Answers whoever is not let in. */
export function refuse(
  reply: FastifyReply,
  { reason, error, retryAfterS }: Refusal,
  metrics: Pick<Metrics, 'admin'>,
): FastifyReply {
  metrics.admin.denied(reason);
  denials.set(reply.request, reason);
  if (retryAfterS === undefined) reply.header('www-authenticate', 'Bearer realm="gatehouse operators"');
  else reply.header('retry-after', retryAfterS);
  return reply.code(reason === 'damped' ? 429 : 401).send({ error });
}
