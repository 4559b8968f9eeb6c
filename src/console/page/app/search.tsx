import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../parts/icon.tsx';
import { go, hrefTo } from './address.ts';
import { searchFor, type Hit } from './search-hits.ts';

/** How long somebody has to stop writing before it is looked for. */
const STILL_MS = 180;

/** One box for everything that has a name: a combobox with a list. */
export function Search(): JSX.Element {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const { of, hits: found } = useHits(text);
  const input = useRef<HTMLInputElement>(null);
  const leave = (href: string): void => {
    go(href);
    setText('');
    setOpen(false);
    input.current?.blur();
  };
  const keys = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    // What was found for less of the text is not what is meant by all of it.
    const hit = of === text.trim() ? found?.[at] : undefined;
    if (event.key === 'Escape') input.current?.blur();
    else if (event.key === 'Enter' && text.trim() !== '')
      leave(hit?.href ?? hrefTo(['routes'], { q: text.trim() }));
    else if (step !== undefined && found?.length) {
      event.preventDefault();
      setAt((at + step + found.length) % found.length);
    }
  };
  const isShown = isOpen && text.trim() !== '';
  return (
    <div class="search" role="search">
      <Icon name="search" />
      <input
        ref={input}
        id="search"
        type="text"
        role="combobox"
        aria-label="Search routes, upstreams, operations and requests"
        aria-expanded={isShown}
        aria-controls="hits"
        aria-autocomplete="list"
        aria-activedescendant={isShown && found?.[at] ? `hit-${at}` : undefined}
        placeholder="Search"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          setAt(0);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setTimeout(() => setOpen(false), 150)}
        onKeyDown={keys}
      />
      <kbd aria-hidden="true">/</kbd>
      <Hits isShown={isShown} found={found} at={at} leave={leave} />
    </div>
  );
}

interface HitsProps {
  readonly isShown: boolean;
  readonly found: readonly Hit[] | undefined;
  readonly at: number;
  leave(href: string): void;
}

function Hits({ isShown, found, at, leave }: HitsProps): JSX.Element {
  return (
    <div class={isShown ? 'hits' : 'hits none'}>
      <div id="hits" role="listbox" aria-label="Found">
        {isShown &&
          found?.map(({ kind, name, href }, i) => (
            <div
              key={href}
              id={`hit-${i}`}
              role="option"
              aria-selected={i === at}
              onMouseDown={() => leave(href)}
            >
              <span class="name">{name}</span>
              <span class="kind">{kind}</span>
            </div>
          ))}
      </div>
      {isShown && found?.length === 0 && <p class="note">Nothing has this name.</p>}
    </div>
  );
}

interface Found {
  /** What was looked for. */
  readonly of: string;
  readonly hits: readonly Hit[] | undefined;
}

const NOTHING: Found = { of: '', hits: undefined };

function useHits(text: string): Found {
  const [found, setFound] = useState(NOTHING);
  useEffect(() => {
    const of = text.trim();
    if (of === '') return setFound(NOTHING);
    let over = false;
    const timer = setTimeout(() => {
      void searchFor(of).then((hits) => over || setFound({ of, hits }));
    }, STILL_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [text]);
  return found;
}
