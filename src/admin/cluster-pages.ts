import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { faultsText } from '../config/zod-faults.ts';
import { OBJECT_STATES, type FollowedCluster, type ObjectState } from '../snapshot/followed-cluster.ts';
import type { Reloads } from '../snapshot/reloads.ts';
import { operation } from './operation.ts';

const PATH = '/kubernetes';
const name = z.string().min(1).max(253).optional();
const objectsSchema = z.strictObject({
  kind: name,
  namespace: name,
  name,
  state: z.enum(OBJECT_STATES).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  from: z.coerce.number().int().min(0).default(0),
});

/** How many objects of a kind there are, by what became of them. */
export interface ListedKind extends Partial<Readonly<Record<ObjectState, number>>> {
  readonly kind: string;
}

/** The cluster that is followed, as operators see it. */
export type ListedCluster =
  | { readonly isFollowed: false }
  | ({ readonly isFollowed: true; readonly kinds: readonly ListedKind[] } & Omit<FollowedCluster, 'objects'>);

/** Describes a cluster without its objects. */
export function describeCluster(cluster: FollowedCluster | undefined): ListedCluster {
  if (cluster === undefined) return { isFollowed: false };
  const { objects, ...rest } = cluster;
  const kinds = [...Map.groupBy(objects, ({ kind }) => kind)].map(([kind, own]): ListedKind => {
    const counts = [...Map.groupBy(own, ({ state }) => state)].map(([state, some]) => [state, some.length]);
    return { kind, ...(Object.fromEntries(counts) as Partial<Record<ObjectState, number>>) };
  });
  const watches = rest.watches.map((watch) => ({ ...watch, ageMs: Math.round(watch.ageMs) }));
  return { isFollowed: true, ...rest, watches, kinds };
}

/** Shows the cluster that the configuration comes from, and what became of each of its objects. */
export function serveCluster(server: FastifyInstance, { additions }: Pick<Reloads, 'additions'>): void {
  const show = operation('showKubernetes', 'read', {
    summary: 'The cluster that routes come from: what is followed, and how that is',
  });
  server.get(PATH, show, () => describeCluster(additions.source?.followed));
  const list = operation('listKubernetesObjects', 'read', {
    summary: 'Objects of the cluster: served, or why not, with the field',
    query: objectsSchema,
  });
  server.get(`${PATH}/objects`, list, ({ query }, reply) => {
    const asked = objectsSchema.safeParse(query);
    if (!asked.success) return reply.code(400).send({ error: faultsText(asked.error, objectsSchema, query) });
    const { limit, from, ...wanted } = asked.data;
    const keys = Object.entries(wanted).filter(([, value]) => value !== undefined);
    const found = (additions.source?.followed.objects ?? []).filter((one) =>
      keys.every(([key, value]) => one[key as keyof typeof wanted] === value),
    );
    const end = from + limit;
    return reply.send({
      total: found.length,
      rows: found.slice(from, end),
      ...(end < found.length && { next: end }),
    });
  });
}
