import type { FastifyInstance } from 'fastify';
import { createRequire } from 'node:module';
import { faultsText } from '../config/zod-faults.ts';
import { recordOrderSchema } from '../record/record-order.schema.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { AdminOrders } from './admin-orders.ts';
import { noteOrder } from './audited-orders.ts';
import { operation } from './operation.ts';
import { relayed } from './relayed-requests.ts';

const PATH = '/record';
const NONE = { error: 'nothing can be recorded in this process' };
/** A client that hears nothing at all for five minutes gives up, as `fetch` does. */
const MOST_RELAYED_MS = 240_000;
const TOO_LONG = {
  error: 'for: of several workers one answers when it has ended, and records for at most 4m',
};
const BUSY = { error: 'somebody records already: one recording at a time' };

/** Takes the order to record, and answers with the sample, line by line while it comes. */
export function serveRecording(
  server: FastifyInstance,
  snapshots: Snapshots,
  { recorder }: Pick<AdminOrders, 'recorder'>,
): void {
  server.get(PATH, operation('showRecording', 'read', { summary: 'Whether exchanges are recorded' }), () => ({
    isOn: recorder?.isOn === true,
  }));
  const record = operation('record', 'operate', {
    summary: 'Record some exchanges, without secrets',
    body: recordOrderSchema,
    media: 'application/x-ndjson',
  });
  server.post(PATH, record, (request, reply) => {
    const read = recordOrderSchema.safeParse(request.body ?? {});
    if (!read.success)
      return reply.code(400).send({ error: faultsText(read.error, recordOrderSchema, request.body) });
    if (recorder === undefined) return reply.code(409).send(NONE);
    const { for: forMs, ...order } = read.data;
    const isRelayed = relayed.getStore() !== undefined;
    if (isRelayed && forMs > MOST_RELAYED_MS) return reply.code(400).send(TOO_LONG);
    const { digest } = snapshots.current.source.document;
    // Where several serve, the one that answers records what it serves itself.
    const about = { gateway: version(), config: digest, ...(isRelayed && { of: 'one worker' }) };
    const recording = recorder.begin({ ...order, forMs, about });
    if (recording === undefined) return reply.code(409).send(BUSY);
    noteOrder(request, { forMs, rate: order.rate, max: order.max, bodies: order.bodies });
    return reply.type('application/x-ndjson').send(recording.lines);
  });
}

function version(): string {
  return (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
}
