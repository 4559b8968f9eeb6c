import type { JSX } from 'preact';
import { order } from '../data/ask.ts';
import { percent } from '../data/format.ts';
import type { Intent } from '../parts/confirm.tsx';
import type { WholeTarget } from './upstream-targets.tsx';
import { weightIntents } from './weight-intents.tsx';

/** Something that can be done to a target. */
export interface TargetIntent {
  readonly label: string;
  readonly intent: Intent;
}

/** What can be done to a target as it is now, the most wanted first. */
export function targetIntents(
  upstream: string,
  row: WholeTarget,
  all: readonly WholeTarget[],
  again: () => void,
): readonly TargetIntent[] {
  const path = `upstreams/${encodeURIComponent(upstream)}/targets/${encodeURIComponent(row.target)}`;
  const done = (text: string): string => {
    again();
    return text;
  };
  const isEjected = row.health?.ejection !== undefined;
  const state = row.health?.breaker?.state;
  return [
    isEjected ? restoring(row, path, done) : ejecting(row, all, path, done),
    ...weightIntents(row, all, path, done),
    ...(state === undefined
      ? []
      : [state === 'closed' ? opening(row, all, path, done) : closing(row, path, done)]),
  ];
}

/** Tells what was done, and has the page ask again. */
export type Done = (text: string) => string;

/** How long something is taken out by default. */
const FOR = (
  <label class="field">
    <span>For</span>
    <select name="for">
      <option value="1m">1 minute</option>
      <option value="10m" selected>
        10 minutes
      </option>
      <option value="1h">1 hour</option>
      <option value="1d">1 day</option>
    </select>
  </label>
);

/** What taking a target out leaves, and the fields of an order that does it. */
function withoutIt(
  { target }: WholeTarget,
  all: readonly WholeTarget[],
): { readonly rest: string; readonly fields: JSX.Element } {
  const left = all.filter((one) => one.target !== target && one.available);
  const whole = all.reduce((sum, { weight }) => sum + weight, 0) || 1;
  const weight = left.reduce((sum, one) => sum + one.weight, 0);
  const rest =
    left.length === 0
      ? 'No target would be left: every request would be answered with 503.'
      : `${left.length} of ${all.length} targets are left, with ${percent(weight / whole)} of the weight.`;
  const fields = (
    <>
      {FOR}
      <label class="field">
        <span>Reason, for the audit log</span>
        <input name="reason" maxlength={200} />
      </label>
      {left.length === 0 && (
        <label>
          <input type="checkbox" name="force" /> Even though none is left
        </label>
      )}
    </>
  );
  return { rest, fields };
}

function orderOf(form: FormData): object {
  const reason = String(form.get('reason') ?? '');
  return { for: form.get('for'), force: form.has('force'), ...(reason !== '' && { reason }) };
}

function ejecting(row: WholeTarget, all: readonly WholeTarget[], path: string, done: Done): TargetIntent {
  const { target } = row;
  const { rest, fields } = withoutIt(row, all);
  return {
    label: 'Eject',
    intent: {
      title: `Take ${target} out?`,
      effect: `It gets no new request; those under way go on. ${rest}`,
      act: 'Eject',
      danger: true,
      fields,
      run: async (form) => {
        await order('PUT', `${path}/ejection`, orderOf(form));
        return done(`${target} is taken out for ${String(form.get('for'))}.`);
      },
    },
  };
}

function restoring({ target }: WholeTarget, path: string, done: Done): TargetIntent {
  return {
    label: 'Restore',
    intent: {
      title: `Bring ${target} back?`,
      effect: 'It gets its share of new requests at once, if its probes and its breaker agree.',
      act: 'Restore',
      run: async () => {
        await order('DELETE', `${path}/ejection`);
        return done(`${target} is back.`);
      },
    },
  };
}

function opening(row: WholeTarget, all: readonly WholeTarget[], path: string, done: Done): TargetIntent {
  const { target } = row;
  const { rest, fields } = withoutIt(row, all);
  return {
    label: 'Open breaker',
    intent: {
      title: `Open the breaker of ${target}?`,
      effect: `It gets no request until the time is over; then one is let through to see how it is. In this gateway only. ${rest}`,
      act: 'Open',
      danger: true,
      fields,
      run: async (form) => {
        await order('PUT', `${path}/breaker`, { state: 'open', ...orderOf(form) });
        return done(`The breaker of ${target} is open.`);
      },
    },
  };
}

function closing({ target }: WholeTarget, path: string, done: Done): TargetIntent {
  return {
    label: 'Close breaker',
    intent: {
      title: `Close the breaker of ${target}?`,
      effect: 'It gets its whole share of requests at once, without a trial first.',
      act: 'Close',
      run: async () => {
        await order('PUT', `${path}/breaker`, { state: 'closed' });
        return done(`The breaker of ${target} is closed.`);
      },
    },
  };
}
