import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { faultsText } from '../config/zod-faults.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { AdminAccess } from './access/admin-access.ts';
import { callerOf, judged, refuse } from './access/guard.ts';
import { ROLES } from './access/roles.ts';
import { operation } from './operation.ts';
import { relayed } from './relayed-requests.ts';

/** Where a page logs in and out. */
export const SESSION_PATH = '/session';
/** What a body to log in may have: a token fits in. */
export const MOST_SESSION_BYTES = 2048;

/** What `POST /session` takes. */
export const sessionSchema = z.strictObject({ token: z.string().min(1).max(512) });
const whoamiSchema = z.object({
  name: z.string().nullable().describe('As the file of tokens names the caller.'),
  role: z.enum(ROLES),
  needsToken: z.boolean().describe('Whether callers have to show who they are.'),
  by: z.enum(['loopback', 'token', 'certificate', 'session']),
});

/** Tells callers who they are, and gives pages a session for a token, so that no page has to keep it. */
export function serveSessions(server: FastifyInstance, access: AdminAccess, metrics: Metrics): void {
  server.get(
    '/whoami',
    operation('whoAmI', 'read', { summary: 'Who asks, and what it may do', answer: whoamiSchema }),
    (request) => {
      const caller = callerOf(request);
      return { ...caller, name: caller?.name ?? null, needsToken: access.needsToken };
    },
  );
  const login = operation('openSession', 'anyone', {
    summary: 'Open a session for a token, in a cookie',
    body: sessionSchema,
    status: 204,
  });
  server.post(SESSION_PATH, { ...login, bodyLimit: MOST_SESSION_BYTES }, (request, reply) => {
    const read = sessionSchema.safeParse(request.body);
    if (!read.success)
      return reply.code(400).send({ error: faultsText(read.error, sessionSchema, request.body) });
    const { token } = read.data;
    const told = relayed.getStore();
    // The process that has taken it keeps sessions, and has looked at the token.
    const verdict = told === undefined ? access.login(token, request.socket.remoteAddress) : told.login;
    if (verdict === undefined) return reply.code(400).send({ error: 'expected a token' });
    judged(request, verdict);
    if ('refusal' in verdict) return refuse(reply, verdict.refusal, metrics);
    if (told === undefined) reply.header('set-cookie', access.openSession(token));
    return reply.code(204).send();
  });
  const logout = operation('closeSession', 'anyone', { summary: 'End the session', status: 204 });
  server.delete(SESSION_PATH, logout, (request, reply) => {
    if (relayed.getStore() === undefined) reply.header('set-cookie', access.closeSession(request.headers));
    return reply.code(204).send();
  });
}
