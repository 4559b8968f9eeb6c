import { isIP } from 'node:net';
import type { Environment } from '../config/env.schema.ts';
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

const TIMEOUT_MS = 10_000;

/**
 * Asks a gateway that runs for its canaries, or has it act on one.
 *
 * @throws {Error} for people, when it cannot be reached, and when it does not do it.
 */
export async function runCanary(
  command: CanaryCommand,
  environment: Pick<Environment, 'adminHost' | 'adminPort'>,
  out: { write(text: string): unknown },
): Promise<void> {
  const { action, route, json } = command;
  const base = command.admin ?? originOf(environment);
  const path = action === 'list' ? '/canaries' : `/canaries/${encodeURIComponent(route ?? '')}/${action}`;
  const answer = await ask(base.replace(/\/$/, '') + path, action === 'list' ? 'GET' : 'POST');
  const all = (Array.isArray(answer) ? answer : [answer]) as Listed[];
  const wanted = route === undefined ? all : all.filter((one) => one.route === route);
  if (route !== undefined && wanted.length === 0) throw new Error(`the route "${route}" has no canary`);
  out.write(json ? `${JSON.stringify(wanted, null, 2)}\n` : shown(wanted));
}

function shown(rollouts: readonly Listed[]): string {
  if (rollouts.length === 0) return 'no route has a canary\n';
  return renderTable(
    rollouts.map(({ route, status, step, steps, weight, reason }) => ({
      route,
      status,
      step: step === undefined ? '-' : `${step}/${steps.length}`,
      weight,
      reason,
    })),
  );
}

async function ask(url: string, method: string): Promise<unknown> {
  let response: Response;
  try {
    const headers = { 'x-gatehouse-admin': 'cli' };
    response = await fetch(url, { method, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const message = `no gateway answers at ${new URL(url).origin}; say where with --admin, or with ADMIN_HOST and ADMIN_PORT`;
    throw new Error(message, { cause: error });
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok) return body;
  const told = (body as { error?: unknown } | undefined)?.error;
  throw new Error(typeof told === 'string' ? told : `the gateway answered ${response.status}`);
}

function originOf({ adminHost, adminPort }: Pick<Environment, 'adminHost' | 'adminPort'>): string {
  const host = adminHost === '0.0.0.0' || adminHost === '::' ? '127.0.0.1' : adminHost;
  return `http://${isIP(host) === 6 ? `[${host}]` : host}:${adminPort}`;
}
