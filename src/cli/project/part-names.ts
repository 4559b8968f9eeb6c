import { UsageError } from '../options.ts';
import type { Replacements } from './template.ts';

const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
/** What a name becomes is a word of the code. */
const RESERVED: ReadonlySet<string> = new Set(
  `await break case catch class const continue debugger default delete do else enum export extends false finally for
  function if implements import in instanceof interface let new null package private protected public return static super
  switch this throw true try typeof var void while with yield`.split(/\s+/),
);
/** Names that the files of a template declare or import themselves. */
const TAKEN =
  /^(?:answers|caller|calls-module|controller|exchange|get|module|public|view|views|views-module)$/;

/**
 * How a part is called in the words of a template.
 *
 * @throws UsageError for a name that would make no code that compiles.
 */
export function namesOf(name: string, upstream: string = name): Replacements {
  if (!NAME.test(name))
    throw new UsageError(
      `expected a name of small letters, digits and dashes, such as price-list, found "${name}"`,
    );
  if (RESERVED.has(name) || TAKEN.test(name))
    throw new UsageError(`"${name}" has a meaning already; choose another name`);
  const camel = name.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const Name = camel.replace(/^./, (letter) => letter.toUpperCase());
  return { name, camel, Name, upstream, upstreamKey: upstream.includes('-') ? `'${upstream}'` : upstream };
}
