import { policiesSchema } from '../routing/gateway.schema.ts';
import { outsideNames } from '../routing/teams/outside-names.ts';
import { textOf, type Json } from './resource.ts';

/** So many levels no policy has; what is nested much deeper could not be written into a configuration. */
const MOST_LEVELS = 64;
const MOST_TOLD = 10;
/** What upstreams of a cluster are called: by namespace, Service and port. */
const OF_CLUSTER = 'k8s_';

/**
 * What is wrong with policies, in the words that the file would be told.
 *
 * @param namespace whose objects say them: no Service of another one is asked, which a ReferenceGrant would have to allow.
 */
export function policyFaults(policies: Json, namespace: string): readonly string[] {
  if (!isWithin(policies, MOST_LEVELS)) return [`spec.policies: expected at most ${MOST_LEVELS} levels`];
  const read = policiesSchema.safeParse(policies);
  if (!read.success)
    return read.error.issues
      .slice(0, MOST_TOLD)
      .map(({ path, message }) => `spec.policies.${path.join('.')}: ${message}`);
  const [named] = outsideNames({ policies }, { files: [], variables: [] });
  if (named !== undefined)
    return [`spec.${named.path.join('.')}: only the file of the gateway names files and variables of it`];
  const asked = textOf((policies['externalAuthorization'] as Json | undefined)?.['upstream']);
  if (!asked.startsWith(OF_CLUSTER) || asked.startsWith(`${OF_CLUSTER}${namespace}_`)) return [];
  return ['spec.policies.externalAuthorization.upstream: is of another namespace'];
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((one) => isWithin(one, levels - 1));
}
