import { order } from '../data/ask.ts';
import { clock } from '../data/format.ts';
import type { Generation } from '../data/order-answers.ts';
import type { Intent } from '../parts/confirm.tsx';

/** Puts a configuration of before into force again. */
export function rollingBack(
  { generation, at }: Pick<Generation, 'generation' | 'at'>,
  again: () => void,
): Intent {
  return {
    title: `Roll back to generation ${generation}?`,
    effect: `What was in force from ${clock(at)} on holds for every new request at once. The file stays as it is: change it too, or the next reload takes it.`,
    act: 'Roll back',
    danger: true,
    run: async () => {
      await order('POST', 'config/rollback', { generation });
      again();
      return `Generation ${generation} is in force again.`;
    },
  };
}
