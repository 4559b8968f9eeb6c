import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { go, hrefWith } from '../app/address.ts';

const STILL_MS = 250;

/** A box that narrows a list; what is written goes to the address once the writer pauses. */
export function Filter({
  label,
  name = 'q',
  value,
}: {
  label: string;
  name?: string;
  value: string;
}): JSX.Element {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    // An address that somebody else has changed: a link, or back.
    if (value !== sent.current) setText(value);
    sent.current = value;
  }, [value]);
  useEffect(() => {
    if (text === sent.current) return undefined;
    const timer = setTimeout(() => {
      sent.current = text;
      go(hrefWith({ [name]: text, from: undefined }), 'replace');
    }, STILL_MS);
    return () => clearTimeout(timer);
  }, [text, name]);
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={label}
      value={text}
      onInput={({ currentTarget }) => setText(currentTarget.value)}
    />
  );
}

/** A choice of many that goes to the address. */
export function Pick({
  label,
  name,
  value,
  options,
}: {
  label: string;
  name: string;
  value: string;
  options: readonly (readonly [key: string, title: string])[];
}): JSX.Element {
  return (
    <select
      aria-label={label}
      value={value}
      onChange={({ currentTarget }) => go(hrefWith({ [name]: currentTarget.value, from: undefined }))}
    >
      {options.map(([key, title]) => (
        <option key={key} value={key}>
          {title}
        </option>
      ))}
    </select>
  );
}
