import type { FastifyInstance } from 'fastify';

/**
 * What every answer of the operators' listener says to browsers, where it says nothing of its own: it is nobody's page, frame, script
 * or picture, whatever a client or a service has had written into it, and is kept nowhere.
 */
export const ANSWER_FIELDS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** Has all answers say so, those of refusals too. */
export function guardAnswers(server: FastifyInstance): void {
  server.addHook('onRequest', async (_request, reply) => void reply.headers(ANSWER_FIELDS));
}
