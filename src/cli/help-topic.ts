import { HELP } from './help.ts';

/** What fits every terminal. */
const WIDTH = 80;
/** Where the help says in words what a command does. */
const WORDS_AT = 40;

interface Topic {
  readonly usage: string[];
  readonly words: string[];
}

/** The part of the help that is about a command, in 80 columns; all of it for a word that is none. */
export function helpOf(word: string | undefined): string {
  const [usage = '', options = ''] = HELP.slice(HELP.indexOf('\n  gatehouse')).split('\n\nOptions\n');
  const topics = topicsOf(usage.split('\n').slice(1)).filter(({ usage: lines }) =>
    lines.some((line) => line.trim().split(/\s+/)[1] === word),
  );
  if (topics.length === 0) return HELP;
  const lines = topics.flatMap((topic) => [
    ...topic.usage.flatMap((line) => wrapped(line.replace(/\s+/g, ' ').trim(), '  ', '      ')),
    ...wrapped(topic.words.join(' '), '      ', '      '),
    '',
  ]);
  const shared = optionsOf(options).filter(([names]) => isOf(names, lines.join(' ')));
  const listed = shared.flatMap(([names, text]) => [`  ${names}`, ...wrapped(text, '      ', '      ')]);
  const more = 'All commands: gatehouse --help; each in words: docs/command-line.md';
  return ['Usage', ...lines, 'Options', ...listed, '', more].join('\n');
}

// A command may be several lines of usage with words behind them, and some share those.
function topicsOf(lines: readonly string[]): readonly Topic[] {
  const topics: Topic[] = [];
  let isOpen = false;
  for (const line of lines) {
    const isWords = /^ {2}\S/.test(line.slice(WORDS_AT - 2));
    const usage = isWords ? line.slice(0, WORDS_AT) : line;
    const begins = usage.startsWith('  gatehouse ');
    if (begins && !isOpen) topics.push({ usage: [], words: [] });
    const topic = topics.at(-1) as Topic;
    if (begins) topic.usage.push(usage);
    else if (usage.trim() !== '') topic.usage.push(`${topic.usage.pop() ?? ''} ${usage.trim()}`);
    if (isWords) topic.words.push(line.slice(WORDS_AT).trim());
    isOpen = !isWords;
  }
  return topics;
}

function optionsOf(text: string): readonly (readonly [names: string, text: string])[] {
  const options: [string, string][] = [];
  for (const line of text.slice(0, text.indexOf('\n\n')).split('\n')) {
    const [, names, said] = /^ {2,6}(-\S.*?) {2,}(\S.*)$/.exec(line) ?? [];
    if (names !== undefined && said !== undefined) options.push([names, said]);
    else options.at(-1)?.splice(1, 1, `${options.at(-1)?.[1] ?? ''} ${line.trim()}`);
  }
  return options;
}

function isOf(names: string, usage: string): boolean {
  const name = /--[a-z-]+/.exec(names)?.[0] ?? '';
  const isShown = usage.includes('--admin') && /--(?:token|token-file|ca-file)\b/.test(names);
  const isModules = name === '--modules' && /--config|replay|diff OLD/.test(usage);
  return isShown || isModules || name === '--help' || usage.includes(`${name} `);
}

// What stands in brackets stays together.
function wrapped(text: string, first: string, hanging: string): readonly string[] {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(/ (?![^[\]]*\])/)) {
    const isFirst = line.trim() === '';
    if (!isFirst && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = hanging + word;
    } else line += isFirst ? word : ` ${word}`;
  }
  return [...lines, line];
}
