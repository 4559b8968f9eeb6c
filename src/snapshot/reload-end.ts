import { faultPlaces, type AuditActor } from '../audit/audit-event.ts';
import type { AuditTrail } from '../audit/audit-trail.ts';
import type { ConfigFault } from '../config/config-fault.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { ReloadOutcome } from '../telemetry/config-metrics.ts';
import type { Snapshot } from './snapshot.ts';

/** How several processes put one configuration into force: all of them, or none. */
export interface JointReload {
  /** What the file says, to all of them. */
  readonly text: string;
  /** Whether another one tells of it; each still does so for itself at the level `debug`. */
  readonly isEcho: boolean;
  /** Asks the others, once nothing here speaks against it. @returns what speaks against it elsewhere. */
  agree(): Promise<readonly ConfigFault[]>;
}

/** How a reload has ended. */
export interface Ended {
  readonly trigger: string;
  readonly outcome: ReloadOutcome;
  readonly faults?: readonly ConfigFault[];
  /** What was to be put into force; undefined where it could not be read. */
  readonly asked?: GatewaySource | undefined;
  readonly joint?: JointReload | undefined;
}

const OUTCOMES = {
  reloaded: 'done',
  unchanged: 'unchanged',
  faulty: 'refused',
  'needs-restart': 'refused',
} as const;

const FILES: ReadonlySet<string> = new Set(['file', 'certificate']);

/** Takes note of a reload for those who have to account for it. @param before the digest of what was in force. */
export function noteReload(
  audit: AuditTrail | undefined,
  before: { readonly file: string; readonly from: string },
  { trigger, outcome, faults = [], asked, joint }: Ended,
): void {
  if (audit === undefined) return;
  // Whoever rotates files says so by the same signal, and each process has them open.
  if (trigger === 'SIGHUP') audit.reopen();
  if (joint?.isEcho === true) return;
  audit.record({
    kind: 'config',
    action: 'reload',
    outcome: OUTCOMES[outcome],
    actor: actorOf(trigger),
    target: before.file,
    reason: outcome,
    details: {
      from: before.from,
      to: asked?.document.digest ?? 'unreadable',
      faults: faults.length || undefined,
      at: faultPlaces(faults),
    },
  });
}

/** Says how a reload has ended, and what is in force now. */
export function logReload(
  logger: Logger,
  { source, table }: Snapshot,
  { trigger, outcome, faults, joint }: Ended,
): void {
  const place = { trigger, config: source.document.file };
  const say = (level: 'info' | 'error', fields: object, message: string): void =>
    logger[joint?.isEcho === true ? 'debug' : level](fields, message);
  if (outcome === 'reloaded') {
    say('info', { ...place, routes: table.routes.length }, 'another configuration is in force');
  } else if (outcome === 'unchanged') {
    say('info', place, 'the configuration says what it said before');
  } else {
    const why = outcome === 'faulty' ? 'is faulty' : 'needs a restart';
    say('error', { ...place, faults }, `the configuration ${why}; the last good one stays in force`);
  }
}

function actorOf(trigger: string): AuditActor {
  const isSignal = /^SIG[A-Z]+$/.test(trigger);
  return { type: isSignal ? 'signal' : FILES.has(trigger) ? 'file' : 'admin', id: trigger };
}
