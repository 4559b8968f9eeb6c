import type { ConfigFault } from './config-fault.ts';

/**
 * What is wrong with a call is told by whoever looks at calls, with the place of its code, and by whoever looks at who makes it. Told is
 * the one, with the name of the other.
 *
 * @param faults those of calls have the file `calls`; others say `Class.member: ` and the same text.
 */
export function toldOnce(faults: readonly ConfigFault[]): readonly ConfigFault[] {
  const calls = new Map(faults.flatMap((fault) => (fault.file === 'calls' ? [[textOf(fault), fault]] : [])));
  if (calls.size === 0) return faults;
  const makers = new Map<ConfigFault, string>();
  const told = faults.filter(({ message }) => {
    const [, maker = '', text = ''] = MADE.exec(message) ?? [];
    const call = calls.get(text);
    if (call === undefined) return true;
    if (!makers.has(call)) makers.set(call, maker);
    return false;
  });
  return told.map((fault) => {
    const maker = makers.get(fault);
    return maker === undefined ? fault : { ...fault, key: maker };
  });
}

const MADE = /^([\w.]+): (.*)$/s;

function textOf({ message, suggestion }: ConfigFault): string {
  return suggestion === undefined ? message : `${message}; did you mean "${suggestion}"?`;
}
