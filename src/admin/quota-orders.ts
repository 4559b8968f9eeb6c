import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { faultsText } from '../config/zod-faults.ts';
import { QuotaLedger } from '../policies/quota/quota-ledger.ts';
import { quotaKeyOf } from '../policies/quota/quota-subject.ts';
import {
  countedQuota,
  describedQuota,
  isOfSubject,
  quotasOf,
  type OfferedQuota,
} from '../policies/quota/quota-view.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { AdminOrders } from './admin-orders.ts';
import { operatorOf } from './audited-orders.ts';
import { operation } from './operation.ts';
import { serveQuotaSubjects } from './quota-subjects.ts';

const AWAY = { error: 'Redis does not answer, and it alone knows; repeat it when Redis is back' };

const text = z.string().min(1).max(2048);
const querySchema = z.strictObject({ subject: text.optional(), tier: text.optional() });
const resetSchema = z.strictObject({
  subject: text,
  quota: text.optional(),
  tier: text.optional(),
  reason: z.string().max(500).optional(),
});
type ResetOrder = z.output<typeof resetSchema>;

type Orders = Pick<AdminOrders, 'quotas' | 'logger' | 'audit'>;

/** Shows quotas and what somebody has used of them, and takes orders to begin them anew. */
export function serveQuotas(server: FastifyInstance, snapshots: Snapshots, orders: Orders): void {
  // Without the policies there are none to tell of.
  const { quotas = new QuotaLedger() } = orders;
  const offered = (tier: string | undefined) => quotasOf(snapshots.current.table.routes, tier);
  const list = operation('listQuotas', 'read', {
    summary: 'The quotas of routes, and what somebody has used of them',
    query: querySchema,
  });
  server.get('/quotas', list, async ({ query }, reply) => {
    const asked = querySchema.safeParse(query);
    if (!asked.success) return reply.code(400).send({ error: faultsText(asked.error, querySchema, query) });
    const { subject, tier } = asked.data;
    if (subject === undefined) return { quotas: offered(tier).map(listed) };
    const counted = await countedOf(quotas, subject, offered(tier), 'look');
    return counted === undefined ? reply.code(503).send(AWAY) : { subject, quotas: counted };
  });
  serveQuotaSubjects(server, quotas, offered);
  const anew = operation('resetQuota', 'operate', {
    summary: 'Have the quotas of somebody begin anew',
    body: resetSchema,
  });
  server.post('/quotas/reset', anew, async (request, reply) => {
    const read = resetSchema.safeParse(request.body);
    if (!read.success)
      return reply.code(400).send({ error: faultsText(read.error, resetSchema, request.body) });
    return reset({ ...orders, quotas }, read.data, { request, reply, offered: offered(read.data.tier) });
  });
}

interface Resetting {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly offered: readonly OfferedQuota[];
}

async function reset(
  orders: Orders & { readonly quotas: QuotaLedger },
  { subject, quota, reason }: ResetOrder,
  { request, reply, offered }: Resetting,
): Promise<object> {
  const named = offered.filter(
    (one) => (quota === undefined || one.quota.name === quota) && isOfSubject(one.quota.key, subject),
  );
  if (named.length === 0)
    return reply.code(404).send({ error: `there is no quota ${quota ?? 'at all'} of ${subject}` });
  const before = await countedOf(orders.quotas, subject, named, 'look');
  const counted = before && (await countedOf(orders.quotas, subject, named, 'reset'));
  const outcome = counted === undefined ? 'failed' : 'done';
  for (const [i, one] of named.entries()) {
    const details = { subject, quota: one.quota.name, used: before?.[i]?.used };
    orders.logger.info({ quota: { ...details, from: request.ip, reason }, outcome }, 'quota reset');
    orders.audit?.record({
      kind: 'quota',
      action: 'reset',
      outcome,
      ...operatorOf(request),
      target: `quota ${one.quota.name} of ${subject}`,
      requestId: request.id,
      reason,
      details,
    });
  }
  return counted === undefined ? reply.code(503).send(AWAY) : { subject, reset: counted };
}

interface Counted extends Readonly<Record<string, unknown>> {
  readonly used: number;
}

async function countedOf(
  ledger: QuotaLedger,
  subject: string,
  offered: readonly OfferedQuota[],
  act: 'look' | 'reset',
): Promise<readonly Counted[] | undefined> {
  const own = offered.filter(({ quota }) => isOfSubject(quota.key, subject));
  const keys = own.map(({ quota: { id } }) => quotaKeyOf(subject, id));
  const terms = own.map(({ quota }) => quota.terms);
  const reply = await ledger[act](keys, terms);
  return reply?.counts.flatMap((count, i) => {
    const one = own[i];
    return one === undefined
      ? []
      : [{ ...countedQuota(one.quota, count), used: count.used, routes: one.routes }];
  });
}

function listed({ quota, routes }: OfferedQuota): object {
  return { ...describedQuota(quota), carryOver: quota.terms.carryOver, warnAt: quota.terms.warnAt, routes };
}
