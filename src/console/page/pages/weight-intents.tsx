import { order } from '../data/ask.ts';
import { percent } from '../data/format.ts';
import type { Done, TargetIntent } from './target-intents.tsx';
import type { WholeTarget } from './upstream-targets.tsx';

const MOST_WEIGHT = 1000;

/** What can be done to the weight of a target: another one, and that of the configuration again. */
export function weightIntents(
  row: WholeTarget,
  all: readonly WholeTarget[],
  path: string,
  done: Done,
): readonly TargetIntent[] {
  const configured = row.health?.weightOrder?.configured;
  return [
    weighing(row, all, path, done),
    ...(configured === undefined ? [] : [unweighing(row, configured, path, done)]),
  ];
}

function weighing(
  { target, weight }: WholeTarget,
  all: readonly WholeTarget[],
  path: string,
  done: Done,
): TargetIntent {
  const others = all.filter((one) => one.target !== target && one.available);
  const rest = others.reduce((sum, one) => sum + one.weight, 0);
  const share = percent(weight / (weight + rest || 1));
  return {
    label: 'Weight',
    intent: {
      title: `Another weight for ${target}?`,
      effect: `It gets its weight's share of new requests: ${weight} of ${weight + rest} now, which is ${share}.`,
      act: 'Set weight',
      fields: (
        <>
          <label class="field">
            <span>Weight, 1 to {MOST_WEIGHT}</span>
            <input name="weight" type="number" min={1} max={MOST_WEIGHT} step={1} required value={weight} />
          </label>
          <label class="field">
            <span>For</span>
            <select name="for">
              <option value="">until it is undone</option>
              <option value="10m">10 minutes</option>
              <option value="1h">1 hour</option>
              <option value="1d">1 day</option>
            </select>
          </label>
          <label class="field">
            <span>Reason, for the audit log</span>
            <input name="reason" maxlength={200} />
          </label>
        </>
      ),
      run: async (form) => {
        const [time, reason] = [String(form.get('for') ?? ''), String(form.get('reason') ?? '')];
        const body = { weight: Number(form.get('weight')), ...(time !== '' && { for: time }) };
        await order('PUT', `${path}/weight`, { ...body, ...(reason !== '' && { reason }) });
        return done(`${target} has the weight ${body.weight}.`);
      },
    },
  };
}

function unweighing(
  { target, weight }: WholeTarget,
  configured: number,
  path: string,
  done: Done,
): TargetIntent {
  return {
    label: 'Reset weight',
    intent: {
      title: `The configured weight for ${target}?`,
      effect: `It goes from ${weight} back to ${configured}, which the configuration says.`,
      act: 'Reset weight',
      run: async () => {
        await order('DELETE', `${path}/weight`);
        return done(`${target} has its configured weight ${configured} again.`);
      },
    },
  };
}
