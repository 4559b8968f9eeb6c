import type { AuditTrail } from '../audit/audit-trail.ts';
import { passes } from '../policies/explained-stage.ts';
import type { Stage } from '../policies/stage.ts';
import { Problem } from '../problems/problem.ts';

/** What orchestrators ask: a gateway that is restarted for a full disk comes back to it. */
const HEALTH = '/health/';

/**
 * Refuses everything but health while audit events cannot be written.
 *
 * @returns nothing to enter where the configuration does not ask for it.
 */
export function auditGate(audit: AuditTrail | undefined, onFailure: string | undefined): readonly Stage[] {
  if (audit === undefined || onFailure !== 'refuse') return [];
  return [
    {
      enter({ path }): void {
        // Fails closed, as it was asked for: what cannot be accounted for does not happen.
        if (audit.refuses && !path.startsWith(HEALTH))
          throw new Problem('audit-unavailable', { headers: { 'retry-after': '5' } });
      },
      explain: () => passes(),
    },
  ];
}
