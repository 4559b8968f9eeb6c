import type { JSX } from 'preact';
import type { ShownFault } from '../data/order-answers.ts';
import { Copy } from './small.tsx';

/** Where a configuration is wrong: file, line and column, and what was expected there. */
export function Faults({ faults }: { readonly faults: readonly ShownFault[] }): JSX.Element {
  return (
    <ul class="list">
      {faults.map((fault) => (
        <li key={placeOf(fault) + fault.message}>
          <code class="bad-text">{placeOf(fault)}</code>
          <Copy text={placeOf(fault)} what="position" />
          <span class="text">
            {fault.key !== undefined && fault.key !== '' && <code>{fault.key} </code>}
            {fault.message}
            {fault.suggestion !== undefined && `; did you mean “${fault.suggestion}”?`}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** `gateway.yaml:12:5`, as editors open it. */
export function placeOf({ file, line, column }: ShownFault): string {
  return [file, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(':');
}
