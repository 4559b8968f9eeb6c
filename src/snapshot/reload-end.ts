import { faultPlaces, type AuditActor } from '../audit/audit-event.ts';
import type { AuditTrail } from '../audit/audit-trail.ts';
import { writtenDigest } from '../config/config-bundle.ts';
import type { ConfigFault } from '../config/config-fault.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { LeftOut } from '../routing/teams/teams.ts';
import type { ReloadOutcome } from '../telemetry/config-metrics.ts';
import type { ConfigSummary } from './config-summary.ts';
import type { Reload, WantedReload } from './reload-deps.ts';
import type { Snapshot } from './snapshot.ts';

/** How several processes put one configuration into force: all of them, or none. */
export interface JointReload {
  /** What the file says, to all of them. */
  readonly text: string;
  /** Of an earlier configuration: which one. */
  readonly generation?: number | undefined;
  /** Whether another one tells of it; each still does so for itself at the level `debug`. */
  readonly isEcho: boolean;
  /** Asks the others, once nothing here speaks against it. @returns what speaks against it elsewhere. */
  agree(): Promise<readonly ConfigFault[]>;
}

/** How a reload has ended. */
export interface Ended extends WantedReload {
  readonly outcome: ReloadOutcome;
  readonly faults?: readonly ConfigFault[];
  readonly summary?: ConfigSummary | undefined;
  /** What is in force, where that is not what was read: something was left out. */
  readonly inForce?: string | undefined;
  readonly leftOut?: readonly LeftOut[] | undefined;
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
  { trigger, by, earlier, outcome, faults = [], text, joint }: Ended,
): void {
  if (audit === undefined) return;
  // Whoever rotates files says so by the same signal, and each process has them open.
  if (trigger === 'SIGHUP') audit.reopen();
  if (joint?.isEcho === true) return;
  audit.record({
    kind: 'config',
    action: trigger === 'rollback' ? 'rollback' : 'reload',
    outcome: OUTCOMES[outcome],
    actor: actorOf(trigger),
    target: before.file,
    reason: outcome,
    details: {
      from: before.from,
      to: text === undefined ? 'unreadable' : writtenDigest(text),
      by,
      generation: earlier?.generation,
      faults: faults.length || undefined,
      at: faultPlaces(faults),
    },
  });
}

/** Says how a reload has ended, and what is in force now. */
export function logReload(
  logger: Logger,
  { source, table }: Snapshot,
  { trigger, by, earlier, outcome, faults, joint }: Ended,
): void {
  const place = { trigger, by, generation: earlier?.generation, config: source.document.file };
  const say = (level: 'info' | 'error', fields: object, message: string): void =>
    logger[joint?.isEcho === true ? 'debug' : level](fields, message);
  if (outcome === 'reloaded' && trigger === 'rollback') {
    const isEcho = joint?.isEcho === true;
    const message = 'an earlier configuration is in force again, until the file changes';
    logger[isEcho ? 'debug' : 'warn']({ ...place, routes: table.routes.length }, message);
  } else if (outcome === 'reloaded') {
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

const REFUSED = { faulty: 'is faulty', 'needs-restart': 'needs a restart' } as const;

/** How a reload has ended, in a sentence. */
export function reloadText({ trigger, by, earlier, outcome, faults = [], summary }: Ended): string {
  const asker = by === undefined || by === trigger ? trigger : `${trigger} by ${by}`;
  if (outcome === 'unchanged') return `the configuration says what it said before (${asker})`;
  if (outcome !== 'reloaded')
    return `a configuration ${REFUSED[outcome]} and was refused, ${faults.length} faults (${asker})`;
  const { added = 0, removed = 0, changed = 0 } = summary ?? {};
  const what = earlier === undefined ? 'another configuration' : `configuration ${earlier.generation} again`;
  return `${what} in force: ${added} added, ${removed} removed, ${changed} changed (${asker})`;
}

/** What is told of a reload that ends now. */
export function reloadOf({ trigger, outcome, faults = [], summary, leftOut }: Ended): Omit<Reload, 'place'> {
  const more = { ...(summary && { summary }), ...(leftOut && { leftOut }) };
  return { trigger, at: Date.now(), outcome, faults, ...more };
}
