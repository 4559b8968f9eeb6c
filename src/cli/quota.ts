import type { Environment } from '../config/env.schema.ts';
import { adminOrigin, askAdmin } from './admin-client.ts';
import { readOptions, UsageError, type OptionValues } from './options.ts';

/** What somebody wants to know of quotas, or wants reset. */
export interface QuotaCommand {
  readonly name: 'quota';
  /** Whose; undefined for the quotas that there are. */
  readonly subject: string | undefined;
  readonly tier: string | undefined;
  readonly reset: boolean;
  /** Which one is reset; undefined for all. */
  readonly quota: string | undefined;
  readonly reason: string | undefined;
  /** What of a list of subjects is wanted; undefined for no list. */
  readonly list: Readonly<Record<string, string>> | undefined;
  readonly admin: string | undefined;
  readonly json: boolean;
}

const OPTIONS = {
  subject: { type: 'string' },
  tier: { type: 'string' },
  reset: { type: 'boolean' },
  quota: { type: 'string' },
  reason: { type: 'string' },
  list: { type: 'string' },
  route: { type: 'string' },
  sort: { type: 'string' },
  limit: { type: 'string' },
  cursor: { type: 'string' },
  admin: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Reads the arguments behind `gatehouse quota`. @returns undefined when somebody asks for help. */
export function quotaCommand(args: readonly string[]): QuotaCommand | undefined {
  const values = readOptions(args, OPTIONS);
  if (values.flag('help')) return undefined;
  const [subject, quota, reset] = [values.text('subject'), values.text('quota'), values.flag('reset')];
  if (reset && subject === undefined) throw new UsageError('quota: expected --subject SUBJECT with --reset');
  if (!reset && quota !== undefined) throw new UsageError('quota: expected --reset with --quota NAME');
  const list = listOf(values);
  if (list !== undefined && reset) throw new UsageError('quota: expected --list NAME or --reset, not both');
  return {
    name: 'quota',
    subject,
    tier: values.text('tier'),
    reset,
    quota,
    reason: values.text('reason'),
    list,
    admin: adminOrigin('quota', values.text('admin')),
    json: values.flag('json'),
  };
}

const LIST_OPTIONS = ['route', 'sort', 'limit', 'cursor'] as const;

/** What is asked of a list of subjects. */
function listOf(values: OptionValues): QuotaCommand['list'] {
  const name = values.text('list');
  const more = LIST_OPTIONS.map((option) => [option, values.text(option)] as [string, string | undefined]);
  const first = more.find(([, value]) => value !== undefined)?.[0];
  if (name === undefined && first !== undefined)
    throw new UsageError(`quota: expected --list NAME with --${first}`);
  return name === undefined ? undefined : { quota: name, ...Object.fromEntries(more.flatMap(given)) };
}

interface Shown {
  readonly name: string;
  readonly key: string;
  readonly window: string;
  readonly timeZone: string;
  readonly limit: number;
  readonly mode: string;
  readonly in?: string;
  readonly used?: number;
  readonly remaining?: number;
  readonly resetsAt?: string;
}

/**
 * Asks a gateway that runs for its quotas, or has it reset some.
 *
 * @throws {Error} for people, when it cannot be reached, and when it does not do it.
 */
export async function runQuota(
  { subject, tier, reset, quota, reason, list, admin, json }: QuotaCommand,
  environment: Pick<Environment, 'admin' | 'adminHost' | 'adminPort'>,
  out: { write(text: string): unknown },
): Promise<void> {
  const place = { admin, environment };
  const query = new URLSearchParams(Object.entries({ subject, tier, ...list }).flatMap(given));
  const answer = reset
    ? await askAdmin(
        place,
        'POST',
        '/quotas/reset',
        Object.fromEntries(Object.entries({ subject, tier, quota, reason }).flatMap(given)),
      )
    : await askAdmin(place, 'GET', `${pathOf(list)}${query.size === 0 ? '' : `?${query.toString()}`}`);
  if (json) return void out.write(`${JSON.stringify(answer, null, 2)}\n`);
  if (list !== undefined) return void out.write(`${subjectLines(answer as Subjects).join('\n')}\n`);
  const { quotas, reset: done } = answer as { quotas?: readonly Shown[]; reset?: readonly Shown[] };
  const lines = (quotas ?? done ?? []).map((one) => lineOf(one, done !== undefined));
  out.write(lines.length === 0 ? 'no quotas\n' : `${lines.join('\n')}\n`);
}

function pathOf(list: QuotaCommand['list']): string {
  return list === undefined ? '/quotas' : '/quotas/subjects';
}

interface Subjects {
  readonly in?: string;
  readonly subjects: readonly {
    readonly subject: string;
    readonly used: number;
    readonly remaining: number;
  }[];
  readonly next?: string;
  readonly complete: boolean;
}

function subjectLines({ in: label = '', subjects, next, complete }: Subjects): readonly string[] {
  const lines = subjects.map(
    ({ subject, used, remaining }) =>
      `${subject}: ${String(used)} used in ${label}, ${String(remaining)} left`,
  );
  if (next !== undefined) return [...lines, `more with --cursor ${next}`];
  if (!complete) return [...lines, 'there are more than could be looked at'];
  return lines.length === 0 ? ['nobody has used any of it'] : lines;
}

function given([name, value]: [string, string | undefined]): [string, string][] {
  return value === undefined ? [] : [[name, value]];
}

function lineOf({ name, key, window, timeZone, limit, mode, ...counted }: Shown, isReset: boolean): string {
  const { in: label, used, remaining, resetsAt } = counted;
  const what = `${isReset ? 'reset ' : ''}${name} of the ${key}: ${String(limit)} in ${window === 'hour' ? 'an' : 'a'} ${window} of ${timeZone}, ${mode}`;
  if (label === undefined) return what;
  return `${what}; ${String(used)} used in ${label}, ${String(remaining)} left until ${resetsAt ?? ''}`;
}
