import type { Environment } from '../config/env.schema.ts';
import { askAdmin } from './admin-client.ts';
import type { Outlet } from './commands.ts';
import { renderTable } from './table.ts';

/** What somebody wants of the canaries of a gateway that runs. */
export interface CanaryCommand {
  readonly name: 'canary';
  readonly action: 'list' | 'pause' | 'resume' | 'promote' | 'abort';
  /** Undefined only to list all. */
  readonly route: string | undefined;
  /** Origin of its operators' listener. Default: as the environment says. */
  readonly admin: string | undefined;
  readonly json: boolean;
}

/** What the command needs of a rollout; the listener of operators says more. */
interface Listed {
  readonly route: string;
  readonly status: string;
  readonly step?: number;
  readonly steps: readonly string[];
  readonly weight: string;
  readonly reason: string;
}

/**
 * Asks a gateway that runs for its canaries, or has it act on one.
 *
 * @throws {Error} for people, when it cannot be reached, and when it does not do it.
 */
export async function runCanary(
  command: CanaryCommand,
  environment: Pick<Environment, 'admin' | 'adminHost' | 'adminPort'>,
  out: Outlet,
): Promise<void> {
  const { action, route, json, admin } = command;
  const path = action === 'list' ? '/canaries' : `/canaries/${encodeURIComponent(route ?? '')}/${action}`;
  const answer = await askAdmin({ admin, environment }, action === 'list' ? 'GET' : 'POST', path);
  const all = (Array.isArray(answer) ? answer : [answer]) as Listed[];
  const wanted = route === undefined ? all : all.filter((one) => one.route === route);
  if (route !== undefined && wanted.length === 0) throw new Error(`the route "${route}" has no canary`);
  out.write(json ? `${JSON.stringify(wanted, null, 2)}\n` : shown(wanted, out));
}

function shown(rollouts: readonly Listed[], out: Outlet): string {
  if (rollouts.length === 0) return 'no route has a canary\n';
  return renderTable(
    rollouts.map(({ route, status, step, steps, weight, reason }) => ({
      route,
      status,
      step: step === undefined ? '-' : `${step}/${steps.length}`,
      weight,
      reason,
    })),
    out,
  );
}
