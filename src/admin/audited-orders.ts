import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuditTrail } from '../audit/audit-trail.ts';
import type { AuditActor, AuditEvent } from '../audit/audit-event.ts';
import { printableJson } from '../telemetry/printable.ts';
import { redacted } from '../telemetry/redaction.ts';
import { callerOf, denialOf, refusalOf } from './access/guard.ts';
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

/** Who gives an order, by which proof, and from where; no name where nobody is asked for one, and of who is not let in. */
export function operatorOf(request: FastifyRequest): Required<Pick<AuditEvent, 'actor' | 'source'>> {
  const { headers, ip } = request;
  const type: AuditActor['type'] = headers['x-gatehouse-admin'] === 'cli' ? 'cli' : 'admin';
  const caller = callerOf(request);
  const who = caller?.name === undefined ? {} : { id: caller.name, scheme: caller.by };
  return { actor: { type, ...who }, source: { address: ip, userAgent: headers['user-agent'] } };
}

/**
 * Takes note of every order that the operators' listener is given, and of whoever is refused there, whatever comes of it; and
 * hides secrets in all that it answers. To be installed before anything that refuses.
 */
export function auditOrders(server: FastifyInstance, audit: AuditTrail | undefined): void {
  server.addHook('onRequest', (request, reply, done) => {
    // Not Fastify's own hook, which never comes for a client that leaves.
    const told = relayed.getStore();
    // What goes to another process has no socket, and nobody who could leave.
    const isAnswered = () => (told === undefined ? reply.raw.writableFinished : reply.raw.writableEnded);
    reply.raw.once('close', () => {
      // The process that was told first takes note of it for all, but cannot know who has not done it.
      if (told?.isEcho === true && reply.raw.statusCode < 400) return;
      if (told?.isEcho === true) noteOrder(request, { failedAtWorker: told.worker?.number });
      closed(request, reply, { audit, isAnswered: isAnswered() });
    });
    done();
  });
  server.addHook('preHandler', async (request, reply) => {
    // Fails closed, as it was asked for: an order that cannot be accounted for is not carried out.
    if (audit?.refuses === true && isOrder(request)) await reply.code(503).send(UNAVAILABLE);
  });
  server.addHook('onSend', async (request, reply, payload) => {
    if (typeof payload !== 'string') return payload;
    const shown = telling.has(request) ? payload : redacted(payload);
    // Names, paths and reasons come from anybody, and many look at them by `curl`.
    return String(reply.getHeader('content-type')).startsWith('application/json')
      ? printableJson(shown)
      : shown;
  });
}

function isOrder({ method, routeOptions }: FastifyRequest): boolean {
  return !READING.has(method) && !QUESTIONS.has(routeOptions.url);
}

interface Closed {
  readonly audit: AuditTrail | undefined;
  readonly isAnswered: boolean;
}

function closed(request: FastifyRequest, { raw }: FastifyReply, { audit, isAnswered }: Closed): void {
  const { statusCode: status } = raw;
  const denial = denialOf(request);
  if (audit === undefined || (!isOrder(request) && denial === undefined)) return;
  const { method, routeOptions, url, id } = request;
  const refusal = refusalOf(request);
  audit.record({
    kind: 'admin',
    action: `${method} ${routeOptions.url ?? '(none)'}`,
    outcome: !isAnswered || status >= 500 ? 'failed' : status >= 400 ? 'refused' : 'done',
    ...operatorOf(request),
    target: url.split('?', 1)[0],
    requestId: id,
    ...(isAnswered ? { status } : { reason: 'left before it was answered' }),
    ...(isAnswered && denial !== undefined && { reason: denial }),
    details:
      refusal?.name === undefined ? noted.get(request) : { ...noted.get(request), operator: refusal.name },
  });
}
