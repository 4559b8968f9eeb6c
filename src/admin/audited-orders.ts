import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuditTrail } from '../audit/audit-trail.ts';
import type { AuditActor, AuditEvent } from '../audit/audit-event.ts';
import { redacted } from '../telemetry/redaction.ts';
import { relayed } from './relayed-requests.ts';

type Details = AuditEvent['details'];

/** What looks and changes nothing, whatever its method. */
const QUESTIONS: ReadonlySet<string | undefined> = new Set(['/explain']);
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
const UNAVAILABLE = {
  error: 'audit events cannot be written, and audit.onFailure is refuse; see readiness and the log',
};

const noted = new WeakMap<FastifyRequest, Details>();

/** Adds to the audit event of an order what it was about; no secrets. */
export function noteOrder(request: FastifyRequest, details: Details): void {
  noted.set(request, { ...noted.get(request), ...details });
}

const telling = new WeakSet<FastifyRequest>();

/** Has an order answered with a secret that was made for whoever gave it: the only time that it is shown. */
export function tellSecret(request: FastifyRequest): void {
  telling.add(request);
}

/** Who gives an order, and from where: nobody is asked for a name at the operators' listener. */
export function operatorOf({ headers, ip }: FastifyRequest): Required<Pick<AuditEvent, 'actor' | 'source'>> {
  const type: AuditActor['type'] = headers['x-gatehouse-admin'] === 'cli' ? 'cli' : 'admin';
  return { actor: { type }, source: { address: ip, userAgent: headers['user-agent'] } };
}

/**
 * Takes note of every order that the operators' listener is given, and of whoever is refused there, whatever comes of it; and
 * hides secrets in all that it answers. To be installed before anything that refuses.
 */
export function auditOrders(server: FastifyInstance, audit: AuditTrail | undefined): void {
  server.addHook('onRequest', (request, reply, done) => {
    // Not Fastify's own hook, which never comes for a client that leaves.
    if (relayed.getStore()?.isEcho !== true) reply.raw.once('close', () => closed(request, reply, audit));
    done();
  });
  server.addHook('preHandler', async (request, reply) => {
    // Fails closed, as it was asked for: an order that cannot be accounted for is not carried out.
    if (audit?.refuses === true && isOrder(request)) await reply.code(503).send(UNAVAILABLE);
  });
  server.addHook('onSend', async (request, _reply, payload) =>
    typeof payload === 'string' && !telling.has(request) ? redacted(payload) : payload,
  );
}

function isOrder({ method, routeOptions }: FastifyRequest): boolean {
  return !READING.has(method) && !QUESTIONS.has(routeOptions.url);
}

function closed(request: FastifyRequest, { raw }: FastifyReply, audit: AuditTrail | undefined): void {
  const { statusCode: status, writableFinished } = raw;
  const isRefused = status === 401 || status === 403;
  if (audit === undefined || (!isOrder(request) && !isRefused)) return;
  const { method, routeOptions, url, id } = request;
  audit.record({
    kind: 'admin',
    action: `${method} ${routeOptions.url ?? '(none)'}`,
    outcome: !writableFinished || status >= 500 ? 'failed' : status >= 400 ? 'refused' : 'done',
    ...operatorOf(request),
    target: url.split('?', 1)[0],
    requestId: id,
    ...(writableFinished ? { status } : { reason: 'left before it was answered' }),
    details: noted.get(request),
  });
}
