import { order } from '../data/ask.ts';
import type { RolloutAnswer } from '../data/order-answers.ts';
import type { Intent } from '../parts/confirm.tsx';

/** Something that can be done to a rollout. */
export interface CanaryIntent {
  readonly label: string;
  readonly intent: Intent;
}

interface Wish {
  readonly wish: 'promote' | 'abort' | 'pause' | 'resume';
  readonly label: string;
  readonly effect: string;
  readonly done: string;
  readonly danger?: boolean;
}

const PROMOTE: Wish = {
  wish: 'promote',
  label: 'Promote',
  effect: 'All requests of this route go to the canary from now on, at all replicas.',
  done: 'is promoted',
};
const ABORT: Wish = {
  wish: 'abort',
  label: 'Abort',
  effect: 'No request of this route goes to the canary any more, at all replicas.',
  done: 'is aborted',
  danger: true,
};
const PAUSE: Wish = {
  wish: 'pause',
  label: 'Pause',
  effect: 'The share of the canary stays as it is, whatever is measured.',
  done: 'is paused',
};
const RESUME: Wish = {
  wish: 'resume',
  label: 'Resume',
  effect: 'The rollout goes on from its step, and by itself.',
  done: 'goes on',
};

const WISHES: Readonly<Record<RolloutAnswer['status'], readonly Wish[]>> = {
  running: [PROMOTE, PAUSE, ABORT],
  paused: [RESUME, PROMOTE, ABORT],
  promoted: [],
  aborted: [],
};

/** What can be done to a rollout as it stands. */
export function canaryIntents(
  { route, status }: Pick<RolloutAnswer, 'route' | 'status'>,
  again: () => void,
): readonly CanaryIntent[] {
  return WISHES[status].map(({ wish, label, effect, done, danger }) => ({
    label,
    intent: {
      title: `${label} the canary of ${route}?`,
      effect,
      act: label,
      ...(danger && { danger }),
      run: async () => {
        await order('POST', `canaries/${encodeURIComponent(route)}/${wish}`);
        again();
        return `The canary of ${route} ${done}.`;
      },
    },
  }));
}
