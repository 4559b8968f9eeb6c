import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Environment } from '../config/env.schema.ts';
import { nearestName } from '../config/nearest-name.ts';
import { adminOrigin, askAdmin } from './admin-client.ts';
import { readOptions, UsageError } from './options.ts';
import { renderTable } from './table.ts';
import { writeTo } from './written-file.ts';

/** What somebody wants of the configurations of a gateway that runs. */
export interface ConfigCommand {
  readonly name: 'config';
  readonly action: 'history' | 'diff' | 'rollback' | 'reload';
  readonly generations: readonly number[];
  readonly dryRun: boolean;
  readonly reason: string | undefined;
  readonly admin: string | undefined;
  readonly json: boolean;
}

/** Where somebody wants to have a support bundle. */
export interface BundleCommand {
  readonly name: 'support-bundle';
  readonly outFile: string;
  readonly admin: string | undefined;
}

const ACTIONS = ['history', 'diff', 'rollback', 'reload'] as const;
/** How many generations follow an action. */
const COUNTS = { history: 0, diff: 2, rollback: 1, reload: 0 } as const;
const FINE: ReadonlySet<string> = new Set(['reloaded', 'unchanged']);
/** A large configuration takes a while to compile, in all workers. */
const PATIENCE_MS = 90_000;
const ALWAYS = { admin: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
const OPTIONS = {
  ...ALWAYS,
  json: { type: 'boolean' },
  reason: { type: 'string' },
  'dry-run': { type: 'boolean' },
} as const;

/** Reads the arguments behind `gatehouse config`. @returns undefined when somebody asks for help. */
export function configCommand(args: readonly string[]): ConfigCommand | undefined {
  const end = args.findIndex((argument) => argument.startsWith('-'));
  const [given = '', ...numbers] = args.slice(0, end < 0 ? undefined : end);
  const values = readOptions(end < 0 ? [] : args.slice(end), OPTIONS);
  if (values.flag('help')) return undefined;
  const action = ACTIONS.find((one) => one === given);
  if (action === undefined) {
    const nearest = nearestName(given, ACTIONS);
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    const got = given === '' ? '' : `, got "${given}"`;
    throw new UsageError(`config: expected one of ${ACTIONS.join(', ')}${got}${hint}`);
  }
  const count = COUNTS[action];
  if (numbers.length !== count || !numbers.every((one) => /^[1-9]\d{0,8}$/.test(one)))
    throw new UsageError(
      `config ${action}: expected ${count === 0 ? 'no more words' : `${count} of the numbers that config history shows`}`,
    );
  const dryRun = values.flag('dry-run');
  if (dryRun && action !== 'reload') throw new UsageError(`config ${action}: --dry-run is for config reload`);
  const admin = adminOrigin('config', values.text('admin'));
  const generations = numbers.map(Number);
  return {
    name: 'config',
    action,
    generations,
    dryRun,
    reason: values.text('reason'),
    admin,
    json: values.flag('json'),
  };
}

/** Reads the arguments behind `gatehouse support-bundle`. @returns undefined when somebody asks for help. */
export function bundleCommand(args: readonly string[]): BundleCommand | undefined {
  const values = readOptions(args, { ...ALWAYS, out: { type: 'string', short: 'o' } });
  if (values.flag('help')) return undefined;
  const outFile = values.text('out');
  if (outFile === undefined) throw new UsageError('support-bundle: expected --out FILE');
  return { name: 'support-bundle', outFile, admin: adminOrigin('support-bundle', values.text('admin')) };
}

interface Row {
  readonly generation: number;
  readonly at: string;
  readonly cause: string;
  readonly by: string;
  readonly outcome: string;
  readonly summary?: { readonly added: number; readonly removed: number; readonly changed: number };
  readonly faults?: readonly { readonly line?: number; readonly key: string; readonly message: string }[];
}

interface Difference {
  readonly changes: readonly { kind: string; what: string; id: string; lines: readonly string[] }[];
  readonly text?: string;
  /** Why nobody can say what one of them means. */
  readonly faults?: End['faults'];
}

/**
 * Shows the configurations of a gateway that runs, or has one put into force.
 *
 * @returns whether all is well: what a dry run finds may not be.
 * @throws {Error} for people, when it cannot be reached, and when it does not do it.
 */
export async function runConfig(
  { action, generations, dryRun, reason, admin, json }: ConfigCommand,
  environment: Environment,
  out: { write(text: string): unknown },
): Promise<boolean> {
  const place = { admin, environment, timeoutMs: PATIENCE_MS };
  const [first = 0, second = 0] = generations;
  const asked = {
    history: () => askAdmin(place, 'GET', '/config/history'),
    diff: () => askAdmin(place, 'GET', `/config/diff?from=${first}&to=${second}`),
    rollback: () => askAdmin(place, 'POST', '/config/rollback', { generation: first, reason }),
    reload: () => askAdmin(place, 'POST', '/config/reload', { dryRun }),
  };
  const answer = await asked[action]();
  if (json) out.write(`${JSON.stringify(answer, null, 2)}\n`);
  else if (action === 'history') out.write(renderTable((answer as { rows: Row[] }).rows.map(shownRow)));
  else if (action === 'diff') out.write(shownDiff(answer as Difference));
  else out.write(shownEnd(answer as End));
  return action !== 'reload' || FINE.has((answer as End).outcome);
}

/** Writes the support bundle of a gateway that runs, compressed where the name ends with `.gz`. */
export async function runBundle(
  { outFile, admin }: BundleCommand,
  environment: Environment,
  out: { write(text: string): unknown },
): Promise<void> {
  const bundle = await askAdmin({ admin, environment, timeoutMs: PATIENCE_MS }, 'GET', '/support-bundle');
  const text = `${JSON.stringify(bundle, null, 1)}\n`;
  const isPacked = outFile.endsWith('.gz');
  await writeTo(outFile, isPacked ? await promisify(gzip)(text) : text, { mode: 0o600 });
  out.write(`written to ${outFile}\n`);
}

function shownRow({ generation, at, cause, by, outcome, summary, faults }: Row) {
  const [fault] = faults ?? [];
  const { added = 0, removed = 0, changed = 0 } = summary ?? {};
  const what = summary === undefined ? '-' : `+${added} -${removed} ~${changed}`;
  const why = fault && `line ${fault.line ?? '?'}: ${fault.key} ${fault.message}`;
  return { generation, at, cause, by, outcome, changes: why ?? what };
}

function shownDiff({ changes, faults = [], text = '' }: Difference): string {
  const sign = { added: '+', removed: '-' } as Readonly<Record<string, string>>;
  const lines = changes.flatMap(({ kind, what, id, lines: own }) =>
    own.map((line) => `${sign[kind] ?? '~'} ${what.padEnd(9)} ${id}  ${line}`),
  );
  const unknown = `what changes in meaning cannot be said, one of them is faulty:\n${faultLines(faults).trimEnd()}`;
  const meaning = faults.length > 0 ? unknown : lines.join('\n') || 'nothing changes in meaning';
  // Without a change there is nothing below the names of the two.
  return text.includes('\n@@ ') ? `${meaning}\n\n${text}` : `${meaning}\n`;
}

function faultLines(faults: End['faults']): string {
  return faults.map(({ file, line, key, message }) => `${file}:${line ?? ''} ${key} ${message}\n`).join('');
}

interface End {
  readonly outcome: string;
  readonly generation: number;
  readonly dryRun?: boolean;
  readonly differsFromFile?: string;
  readonly faults: readonly { file: string; line?: number; key: string; message: string }[];
}

function shownEnd({ outcome, generation, dryRun, differsFromFile, faults }: End): string {
  const differs = differsFromFile === undefined ? '' : '; the file says another one';
  const place = `configuration ${generation} is in force${differs}`;
  return `${faultLines(faults)}${dryRun === true ? 'would be ' : ''}${outcome}; ${place}\n`;
}
