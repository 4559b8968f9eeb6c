import type { JSX } from 'preact';
import type { FlowState } from '../data/traffic.ts';
import { Icon } from './icon.tsx';

/** How serious something is. */
export type Gravity = 'good' | 'warn' | 'bad' | 'idle' | 'info';

const OF_FLOW: Readonly<Record<FlowState, Gravity>> = {
  well: 'good',
  idle: 'idle',
  refusing: 'warn',
  slow: 'warn',
  failing: 'bad',
};

/** How serious the state of traffic is. */
export const gravityOf = (state: FlowState): Gravity => OF_FLOW[state];

/** A state: an icon and a word, so that nothing depends on colour. */
export function State({ is, children }: { readonly is: Gravity; readonly children: string }): JSX.Element {
  return (
    <span class={`state ${is}`}>
      <Icon name={is} />
      {children}
    </span>
  );
}

/** The state of traffic. */
export function Flow({ is }: { readonly is: FlowState }): JSX.Element {
  return <State is={gravityOf(is)}>{is}</State>;
}
