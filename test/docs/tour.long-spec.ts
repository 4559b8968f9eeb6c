import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ensureBuilt } from '../support/child.ts';
import { call } from '../support/client.ts';
import { Demo, paste, requireCurl } from '../support/demo.ts';
import { blocksOf, commandsOf } from './blocks.ts';
import { patternOf } from './likeness.ts';

const PAGE = 'docs/tour.md';
const LIMIT_MS = 60_000;
const BLOCKS = blocksOf(PAGE, readFileSync(PAGE, 'utf8'));
const CONSOLE = BLOCKS.filter(({ language }) => language === 'console');
/** One of two targets, whatever is left of limits, and how long that takes. */
const VARIES = [
  /(?<=users-)[12]/,
  /(?<=;[rt]=|Remaining: |Reset: |retry-after: |retryAfterMs":)\d+/,
  /(?<=\} )\d+/,
  /(?<="(?:time|durationMs|bytes)":)[\d.]+/,
  /(?<="spanId":")[0-9a-f]{16}/,
];

interface About {
  readonly gateways: readonly { readonly url: string; readonly adminUrl: string }[];
  readonly services: readonly { readonly name: string; readonly url: string }[];
}

/** What was printed, without header fields and series that the page leaves out. */
function asShown(output: string, printed: string): string {
  const named = (line: string): string | undefined => /^[\w-]+(?=: )|^gatehouse_\S+(?= \d)/.exec(line)?.[0];
  const shown = new Set(output.split('\n').flatMap((line) => named(line) ?? []));
  const isShown = (line: string): boolean => {
    const name = named(line);
    return name === undefined || shown.has(name);
  };
  return printed.replaceAll('\r', '').split('\n').filter(isShown).join('\n');
}

describe(PAGE, () => {
  let demo: Demo;
  let places: readonly (readonly [string, string])[];
  let given: string;

  beforeAll(async () => {
    requireCurl();
    await ensureBuilt();
    demo = new Demo({ PORTS: 'free', LOG_LEVEL: 'info' }, ['--no-traffic']);
    const url = String(/Start here: (http:\S+)\/$/m.exec(await demo.introduction())?.[1]);
    const { gateways, services } = (await call(`${url}/demo/about.json`)).json<About>();
    const at = (name: string): string => services.find((one) => one.name === name)?.url ?? '';
    places = [
      ['http://127.0.0.1:8080', url],
      ['http://127.0.0.1:9080', gateways[0]?.adminUrl ?? ''],
      ['http://127.0.0.1:4300', at('identity')],
      ['http://127.0.0.1:4100', at('control')],
    ];
    given = BLOCKS.find(({ language }) => language === 'sh')?.text ?? '';
  }, LIMIT_MS);
  afterAll(() => demo.interrupt(), LIMIT_MS);

  const run = (command: string): string =>
    paste(places.reduce((text, [from, to]) => text.replaceAll(from, to), `${given}\n${command}`));

  it.each(CONSOLE)('$place comes of it', (block) => {
    for (const { command, output } of commandsOf(block)) {
      const printed = asShown(output, run(command));
      // An empty line parts commands.
      const [said, got] = [output, printed].map((text) => `${text.trimEnd()}\n`) as [string, string];
      if (!patternOf(said, VARIES).test(got)) expect(`$ ${command}\n${got}`).toBe(`$ ${command}\n${said}`);
    }
  });

  it(
    'shows an access line as it is written',
    async () => {
      const { stdout } = await demo.interrupt();
      const line = stdout.split('\n').findLast((one) => one.includes('"code":"rate-limited"'));
      const shown = JSON.stringify(
        JSON.parse(BLOCKS.find(({ language }) => language === 'json')?.text ?? ''),
      );
      expect(line).toMatch(patternOf(shown, VARIES));
    },
    LIMIT_MS,
  );

  it('has commands', () => {
    expect(CONSOLE.flatMap(commandsOf).length).toBeGreaterThan(12);
  });
});
