import type { Attempt } from '../exchange/exchange.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Problem } from '../problems/problem.ts';
import { redacted } from '../telemetry/redaction.ts';
import { shown } from './numbers.ts';

const LONGEST = 500;

/** What is to be said of an exchange that is kept. */
export interface ReasonFacts {
  readonly exchange: Exchange;
  readonly ms: number;
  /** What has said no; undefined for an answer of a service. */
  readonly problem: Problem | undefined;
  /** Where that is said. */
  readonly rule: string | undefined;
  readonly client: string;
}

/** Why a request was refused, in a sentence. */
export function refusalReason({ problem, rule, client, exchange }: ReasonFacts): string {
  if (problem === undefined) return `Answered ${exchange.status} by a stage of the gateway.`;
  const { entry, by, detail, headers } = problem;
  const whose = by === undefined ? '' : ` by ${by}`;
  const where = rule === undefined ? '' : ` (${rule})`;
  const when = headers?.['retry-after'];
  const again = when === undefined ? '' : ` It may be tried again in ${when} s.`;
  const more = detail === undefined ? '' : ` ${detail}`;
  return bounded(`${client} was refused at ${entry.stage}${whose}${where}: ${entry.title}.${more}${again}`);
}

/** Why a request has failed, in a sentence. */
export function failureReason({ problem, exchange }: ReasonFacts): string {
  const { upstream, attempts, status, grpcStatus } = exchange;
  const last = attempts.at(-1);
  if (problem === undefined) {
    const answer = grpcStatus === undefined ? String(status) : grpcStatus;
    return bounded(`${placeOf(upstream, last)} answered ${answer}${triedText(attempts)}.`);
  }
  const detail = problem.detail === undefined ? '' : ` ${problem.detail}`;
  if (last === undefined)
    return bounded(`Failed at ${problem.entry.stage}: ${problem.entry.title}.${detail}`);
  const end = `${placeOf(upstream, last)} ended with ${last.outcome} after ${shown(last.durationMs)} ms`;
  return bounded(`${problem.entry.title}: ${end}${triedText(attempts)}.${detail}`);
}

/** Why a request took its time, in a sentence. */
export function slownessReason({ exchange, ms }: ReasonFacts): string {
  const { attempts, upstream, timings, startedAt } = exchange;
  const parts = timings?.parts(startedAt + ms).filter((one) => one.name !== 'total' && one.ms >= ms / 100);
  const split = parts?.map((one) => `${one.name} ${shown(one.ms)} ms`).join(', ');
  if (split !== undefined && split !== '') return bounded(`Took ${shown(ms)} ms: ${split}.`);
  if (attempts.length === 0) return `Took ${shown(ms)} ms within the gateway.`;
  const spent = attempts.reduce((sum, one) => sum + one.durationMs, 0);
  return bounded(
    `Took ${shown(ms)} ms, of which ${shown(Math.min(spent, ms))} ms at ${placeOf(upstream, attempts.at(-1))}${triedText(attempts)}.`,
  );
}

function placeOf(upstream: string | undefined, attempt: Attempt | undefined): string {
  const name = upstream ?? 'the handler';
  return attempt === undefined ? name : `${name} (${attempt.target})`;
}

function triedText({ length }: readonly Attempt[]): string {
  return length > 1 ? `, the last of ${length} attempts` : '';
}

function bounded(text: string): string {
  const shownText = redacted(text);
  return shownText.length > LONGEST ? `${shownText.slice(0, LONGEST)}…` : shownText;
}
