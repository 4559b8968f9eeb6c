import type { DoneFuncWithErrOrRes, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type {} from '../exchange/exchange-of.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Stage } from '../policies/stage.ts';
import { enterAt } from '../routing/admission.ts';
import type { CloseHook } from './close.hook.ts';
import type { OpenHook } from './open.hook.ts';
import { mustWait, waitForTurn } from './pipelined-requests.ts';

/**
 * Registers open (before everything), close (after everything), and the header fields that stages add.
 *
 * @param entrance the stages that every request meets before a route is looked for.
 */
export function installHooks(
  fastify: FastifyInstance,
  open: OpenHook,
  close: CloseHook,
  entrance: readonly Stage[],
): void {
  fastify.decorateRequest('exchange', null as unknown as Exchange);
  const begin = (request: FastifyRequest, reply: FastifyReply, done: DoneFuncWithErrOrRes): void => {
    const exchange = open.open(request.raw, reply.raw);
    request.exchange = exchange;
    close.watch(exchange);
    try {
      open.check(exchange, request.originalUrl);
    } catch (error) {
      return done(error as Error);
    }
    if (entrance.length === 0) done();
    else enterAt(entrance, reply, done);
  };
  fastify.addHook('onRequest', (request, reply, done) => {
    if (mustWait(reply.raw)) waitForTurn(request.raw, reply.raw, () => begin(request, reply, done));
    else begin(request, reply, done);
  });
  // The proxy writes its own heads; this is for handlers.
  fastify.addHook('onSend', (request, reply, payload, done) => {
    request.exchange.outdates?.answered(request.exchange, reply.statusCode);
    if (typeof payload === 'string') request.exchange.bytesOut = Buffer.byteLength(payload);
    addFields(request.exchange, reply);
    done();
  });
}

function addFields(exchange: Exchange, reply: FastifyReply): void {
  const { responseHeaders } = exchange;
  void reply.header('x-request-id', exchange.id);
  for (let i = 0; i < responseHeaders.length; i += 2) {
    void reply.header(responseHeaders[i] as string, responseHeaders[i + 1]);
  }
  const leaving = exchange.route?.leaving.filter((stage) => stage.head !== undefined) ?? [];
  if (leaving.length > 0) editHead(exchange, reply, leaving);
}

function editHead(
  exchange: Exchange,
  reply: FastifyReply,
  leaving: NonNullable<Exchange['route']>['leaving'],
): void {
  const fields = Object.entries(reply.getHeaders()).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).flatMap((one) => [name, String(one)]),
  );
  const head = { status: reply.statusCode, headers: fields };
  for (const stage of leaving) stage.head?.(exchange, head);
  for (const name of Object.keys(reply.getHeaders())) void reply.removeHeader(name);
  for (let i = 0; i < head.headers.length; i += 2)
    void reply.header(head.headers[i] as string, head.headers[i + 1]);
}
