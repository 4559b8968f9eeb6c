import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditTrail } from '../../src/audit/audit-trail.ts';
import { call, type Answer } from './client.ts';
import { startGateway, type TestGateway } from './gateway.ts';

/** An audit event as it was written. */
export interface WrittenEvent {
  readonly time: string;
  readonly id: string;
  readonly kind: string;
  readonly action: string;
  readonly outcome: string;
  readonly actor: { readonly type: string; readonly id?: string; readonly scheme?: string };
  readonly source?: { readonly address?: string; readonly userAgent?: string };
  readonly target?: string;
  readonly requestId?: string;
  readonly count?: number;
  readonly by?: string;
  readonly reason?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly [name: string]: unknown;
}

/** A folder for audit events, and those that are in it. */
export class AuditFolder {
  readonly folder = mkdtempSync(join(tmpdir(), 'gatehouse-audit-'));
  readonly file = join(this.folder, 'audit.jsonl');

  /** All events so far. */
  events(): readonly WrittenEvent[] {
    const lines = readFileSync(this.file, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as WrittenEvent);
  }

  /** Those that a test asks for; waits until there are so many, and a little longer for one too many. */
  async where(wanted: (event: WrittenEvent) => boolean, count = 1): Promise<readonly WrittenEvent[]> {
    const found = (): readonly WrittenEvent[] => this.events().filter(wanted);
    for (let waited = 0; found().length < count && waited < 10_000; waited += 5) await sleep(5);
    await sleep(40);
    return found();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits until a gateway has noticed that its audit events can be written, or that they cannot. */
export async function untilAudit({ gateway }: TestGateway, state: 'ok' | 'failing'): Promise<void> {
  const trail = gateway.app.get(AuditTrail);
  for (let waited = 0; trail.state !== state && waited < 10_000; waited += 5) {
    trail.reopen();
    await sleep(5);
  }
}

/** What a client hears while nothing can be written and the configuration asks for `refuse`. */
export async function askUnaudited(): Promise<Answer> {
  const folder = new AuditFolder();
  const audit = { file: folder.file, onFailure: 'refuse' };
  const gateway = await startGateway({ config: JSON.stringify({ version: 1, audit }) });
  folder.remove();
  await untilAudit(gateway, 'failing');
  const answer = await call(`${gateway.url}/anything`);
  await gateway.stop();
  return answer;
}
