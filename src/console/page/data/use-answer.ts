import { useCallback, useEffect, useState } from 'preact/hooks';
import { ask, AskFault } from './ask.ts';
import { life } from './life.ts';
import { signedOut } from './session.ts';

/** What is known of something that was asked for. */
export interface Answered<Answer> {
  /** The last answer; stays while it is asked for again. */
  readonly value?: Answer;
  /** Why there is none, or no newer one. */
  readonly fault?: AskFault;
  /** Asks again at once. */
  again(): void;
  /** Takes an answer that has come another way. */
  take(value: Answer): void;
}

interface Known {
  readonly path: string | undefined;
  readonly value?: unknown;
  readonly fault?: AskFault;
}

/**
 * Asks for something, and again from time to time while somebody looks.
 *
 * @param path below the listener; undefined asks for nothing.
 * @param everyMs default: once, and whenever something has changed that bends curves.
 */
export function useAnswer<Answer>(path: string | undefined, everyMs?: number): Answered<Answer> {
  const [known, setKnown] = useState<Known>({ path });
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((count) => count + 1), []);
  const take = useCallback((value: Answer) => setKnown({ path, value }), [path]);
  useEffect(() => {
    if (path === undefined) return undefined;
    return asking(path, (next) => setKnown((before) => merged(before, next)));
  }, [path, turn]);
  useEffect(() => {
    if (everyMs === undefined) return undefined;
    const timer = setInterval(() => life.isAwake() && again(), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, again]);
  const { value, fault } = known.path === path ? known : {};
  return {
    ...(value === undefined ? {} : { value: value as Answer }),
    ...(fault && { fault }),
    again,
    take,
  };
}

// What was there stays when it cannot be asked for again: it is told how old it is.
function merged(before: Known, next: Known): Known {
  const isSame = before.path === next.path;
  return next.fault !== undefined && isSame ? { ...before, fault: next.fault } : next;
}

function asking(path: string, tell: (known: Known) => void): () => void {
  let over = false;
  ask(path).then(
    (value) => {
      life.answered();
      if (!over) tell({ path, value });
    },
    (error: unknown) => {
      const fault = error instanceof AskFault ? error : new AskFault(String(error), 0);
      if (fault.status === 401) signedOut();
      if (fault.status === 0) life.lost();
      if (!over) tell({ path, fault });
    },
  );
  return () => {
    over = true;
  };
}
