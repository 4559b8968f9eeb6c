import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { faultsText } from '../config/zod-faults.ts';
import type { Identity } from '../policies/authentication/identity.ts';
import { digestText } from '../policies/authentication/revocation/revocation-marks.ts';
import {
  namedBy,
  OrderFault,
  readOrder,
  revocationOrders,
  type OrderedRevocation,
  type RevocationOrder,
} from '../policies/authentication/revocation/revocation-order.ts';
import type { RevocationOptions } from '../policies/authentication/revocation/revocation.schema.ts';
import { msOf } from '../policies/authentication/revocation/revocation-marks.ts';
import type { AdminOrders } from './admin-orders.ts';
import { operatorOf } from './audited-orders.ts';
import { operation } from './operation.ts';

const PATH = '/revocations';
const OFF = { error: 'nothing can be revoked here; add `identity: { revocation: {} }` to the configuration' };
const NO_ROOM = {
  error:
    'there are as many revocations as identity.revocation.max allows; raise it, or revoke a subject as a whole',
};
const NOT_TOLD =
  'Redis has not taken it: this process knows of it, other replicas do not; repeat it when Redis is back';

const NOT_TAKEN_BACK =
  'Redis has not answered: it may be revoked still, at any replica; repeat it when Redis is back';

const name = z.string().min(1).optional();
const asked = { jti: name, sid: name, sub: name, issuer: name };
const hasOne = ({ jti, sid, sub }: Pick<RevocationOrder, 'jti' | 'sid' | 'sub'>): boolean =>
  [jti, sid, sub].filter((one) => one !== undefined).length === 1;
const ONE = { message: 'expected exactly one of jti, sid, sub' };
const askedSchema = z.strictObject(asked).refine(hasOne, ONE);
const undoneSchema = z.strictObject({ ...asked, reason: z.string().max(500).optional() }).refine(hasOne, ONE);

type Asked = z.output<typeof askedSchema>;

/** Shows what is known of revocations, and takes orders to revoke. */
export function serveRevocations(server: FastifyInstance, orders: Orders): void {
  const { identity } = orders;
  const show = operation('showRevocations', 'read', {
    summary: 'How many credentials are revoked, or whether one is',
    query: askedSchema,
  });
  server.get(PATH, show, ({ query }, reply) => {
    if (Object.keys(query as object).length === 0) return reply.send(describe(identity));
    const asked = askedSchema.safeParse(query);
    if (!asked.success) return reply.code(400).send({ error: faultsText(asked.error, askedSchema, query) });
    return orRefuse(reply, () => look(identity, asked.data));
  });
  const revoke = operation('revoke', 'admin', { summary: 'Revoke credentials', body: revocationOrders });
  server.post(PATH, revoke, (request, reply) => take(orders, request, reply));
  const undo = operation('unrevoke', 'admin', { summary: 'Take a revocation back', query: undoneSchema });
  server.delete(PATH, undo, (request, reply) => takeBack(orders, request, reply));
}

type Orders = Pick<AdminOrders, 'identity' | 'logger' | 'audit'>;

/** How the revocations of this process are. */
function describe({ revocations }: Identity): object {
  const { options, state, set, ageMs, open, last } = revocations;
  if (options === undefined) return { state };
  return {
    state,
    ...(Number.isFinite(ageMs) ? { ageMs: Math.round(ageMs) } : {}),
    count: set.count().held,
    bytes: set.bytes,
    watched: open,
    ...(last === undefined ? {} : { last }),
    ...options,
  };
}

/** Whether one is known. @throws {OrderFault} */
function look({ revocations, section }: Identity, asked: Asked): object {
  const { kind, value, issuer, digest } = namedBy(asked, issuersOf({ section }));
  const time = revocations.set.find(digest);
  const named = { [kind]: value, ...(issuer === undefined ? {} : { issuer }) };
  if (time < 0) return { ...named, revoked: true, issuedBefore: new Date(msOf(-time)).toISOString() };
  const isRevoked = time > 0 && msOf(time) > Date.now();
  return {
    ...named,
    revoked: isRevoked,
    ...(isRevoked ? { until: new Date(msOf(time)).toISOString() } : {}),
  };
}

async function take(orders: Orders, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { identity } = orders;
  const { body, ip } = request;
  const { options } = identity.revocations;
  if (options === undefined) return reply.code(409).send(OFF);
  const read = revocationOrders.safeParse(body);
  if (!read.success) return reply.code(400).send({ error: faultsText(read.error, revocationOrders, body) });
  let ordered: readonly OrderedRevocation[];
  try {
    ordered = readAll(read.data, identity, options);
  } catch (error) {
    if (error instanceof OrderFault) return reply.code(400).send({ error: error.message });
    throw error;
  }
  const where = await identity.revocations.revoke(ordered);
  if (where === 'nowhere') return reply.code(507).send(NO_ROOM);
  for (const [index, one] of ordered.entries())
    note(orders, one, { where, from: ip, reason: read.data[index]?.reason, request });
  const revoked = ordered.map(shown);
  return where === 'everywhere'
    ? reply.send({ revoked })
    : reply.code(503).send({ error: NOT_TOLD, revoked });
}

/** Takes a revocation back. */
async function takeBack(orders: Orders, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { identity } = orders;
  const { query } = request;
  if (identity.revocations.options === undefined) return reply.code(409).send(OFF);
  const read = undoneSchema.safeParse(query);
  if (!read.success) return reply.code(400).send({ error: faultsText(read.error, undoneSchema, query) });
  let named: ReturnType<typeof namedBy>;
  try {
    named = namedBy(read.data, issuersOf(identity));
  } catch (error) {
    if (error instanceof OrderFault) return reply.code(400).send({ error: error.message });
    throw error;
  }
  const { kind, value, issuer, digest } = named;
  const where = await identity.revocations.undo(digest, kind === 'jti' ? value : undefined);
  noteUndone(orders, named, { where, from: request.ip, reason: read.data.reason, request });
  if (where === 'unknown')
    return reply
      .code(404)
      .send({ error: 'it is not revoked, or not any more; there is nothing to take back' });
  if (where === 'nowhere') return reply.code(503).send({ error: NOT_TAKEN_BACK });
  return reply.send({ restored: { [kind]: value, ...(issuer === undefined ? {} : { issuer }) } });
}

function readAll(
  orders: readonly RevocationOrder[],
  identity: Identity,
  { longest }: RevocationOptions,
): OrderedRevocation[] {
  const terms = { issuers: issuersOf(identity), longest, nowMs: Date.now() };
  return orders.map((order) => readOrder(order, terms));
}

function issuersOf({ section }: Pick<Identity, 'section'>): readonly string[] {
  const { issuers, login } = section.options;
  return [...new Set([...issuers, ...(login === undefined ? [] : [login])].map(({ issuer }) => issuer))];
}

function shown({ kind, value, issuer, until, issuedBefore }: OrderedRevocation): object {
  const whose = issuer === undefined ? {} : { issuer };
  return { [kind]: value, ...whose, ...(issuedBefore === undefined ? {} : { issuedBefore }), until };
}

// The id of a session may open it somewhere else, so that the log has its digest only.
function note(
  { logger, audit }: Orders,
  { kind, value, issuer, until, issuedBefore, digest }: OrderedRevocation,
  { request, ...how }: RevokedHow,
): void {
  const named = kind === 'sid' ? { digest: digestText(digest) } : { [kind]: value };
  logger.info({ revocation: { kind, ...named, issuer, until, ...how } }, 'credentials revoked');
  audit?.record({
    kind: 'revocation',
    action: 'revoke',
    outcome: how.where === 'everywhere' ? 'done' : 'failed',
    ...operatorOf(request),
    target: kind === 'sid' ? `sid ${digestText(digest)}` : `${kind} ${value}`,
    requestId: request.id,
    reason: how.reason,
    details: { issuer, until, issuedBefore, where: how.where },
  });
}

function noteUndone(
  { logger, audit }: Orders,
  { kind, value, issuer, digest }: ReturnType<typeof namedBy>,
  { request, where, ...how }: RevokedHow,
): void {
  const named = kind === 'sid' ? { digest: digestText(digest) } : { [kind]: value };
  const fields = { revocation: { kind, ...named, issuer, where, ...how } };
  if (where === 'everywhere') logger.info(fields, 'revocation taken back');
  audit?.record({
    kind: 'revocation',
    action: 'unrevoke',
    outcome: where === 'everywhere' ? 'done' : where === 'unknown' ? 'unchanged' : 'failed',
    ...operatorOf(request),
    target: kind === 'sid' ? `sid ${digestText(digest)}` : `${kind} ${value}`,
    requestId: request.id,
    reason: how.reason,
    details: { issuer, where },
  });
}

interface RevokedHow {
  readonly where: string;
  readonly from: string;
  readonly reason: string | undefined;
  readonly request: FastifyRequest;
}

function orRefuse(reply: FastifyReply, answer: () => object): FastifyReply {
  try {
    return reply.send(answer());
  } catch (error) {
    if (error instanceof OrderFault) return reply.code(400).send({ error: error.message });
    throw error;
  }
}
