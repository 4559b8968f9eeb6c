import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { AskFault } from '../data/ask.ts';
import { say } from './announce.tsx';

/** An order that is asked back for before it is given. */
export interface Intent {
  /** As a question: `Take 10.0.0.7:80 out?` */
  readonly title: string;
  /** What will be so afterwards. */
  readonly effect: ComponentChildren;
  /** On the button: the deed, never "OK". */
  readonly act: string;
  readonly danger?: boolean;
  /** Fields of the form. */
  readonly fields?: ComponentChildren;
  /** Gives the order. @returns what to tell when it was carried out. */
  run(form: FormData): Promise<string>;
}

/** Asks back in a dialog; what is refused is told in it. */
export function Confirm({ intent, close }: { readonly intent: Intent; close(): void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const [fault, setFault] = useState('');
  const [isBusy, setBusy] = useState(false);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  const give = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      say(await intent.run(new FormData(event.target as HTMLFormElement)));
      dialog.current?.close();
    } catch (error) {
      if (!(error instanceof AskFault)) throw error;
      setFault(error.message);
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={close}>
      <form onSubmit={(event) => void give(event as unknown as SubmitEvent)}>
        <h2 id={id}>{intent.title}</h2>
        <div>{intent.effect}</div>
        {intent.fields}
        {fault !== '' && (
          <p class="bad-text" role="alert">
            Refused: {fault}
          </p>
        )}
        <div class="actions">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class={`button ${intent.danger ? 'danger' : 'primary'}`} disabled={isBusy}>
            {intent.act}
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** A button that asks back. */
export function Act({
  label,
  intent,
  small,
}: {
  label: string;
  intent: () => Intent;
  small?: boolean;
}): JSX.Element {
  const [asked, setAsked] = useState<Intent>();
  return (
    <>
      <button type="button" class={small ? 'button small' : 'button'} onClick={() => setAsked(intent())}>
        {label}
      </button>
      {asked && <Confirm intent={asked} close={() => setAsked(undefined)} />}
    </>
  );
}
