import type { ComponentChildren, JSX } from 'preact';
import type { AskFault } from '../data/ask.ts';
import type { Answered } from '../data/use-answer.ts';
import { Icon } from './icon.tsx';

/** Says that there is nothing, and what that means or how it would come. */
export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children}
    </div>
  );
}

/** Says what went wrong, and offers to try again. */
export function Fault({ fault, again }: { readonly fault: Error; again?: () => void }): JSX.Element {
  return (
    <div class="fault" role="alert">
      <Icon name="bad" />
      <span>{fault.message}</span>
      {again && (
        <button type="button" class="button small" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

interface AnswerProps<Value> {
  readonly of: Answered<Value>;
  /** What to say of a feature that this gateway does not have, or an address that it does not know. */
  readonly missing?: (fault: AskFault) => JSX.Element;
  readonly children: (value: Value) => JSX.Element;
}

/** What was answered; while nothing was, that it is asked for, or why there is nothing. */
export function Answer<Value>({ of, missing, children }: AnswerProps<Value>): JSX.Element {
  const { value, fault, again } = of;
  if (value !== undefined) return children(value);
  if (fault?.status === 404 && missing) return missing(fault);
  if (fault) return <Fault fault={fault} again={again} />;
  return <p class="loading">Asking…</p>;
}
