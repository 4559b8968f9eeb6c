import { relative } from 'node:path';
import { styleText } from 'node:util';
import type { ListedRoute } from '../../admin/route-listing.ts';
import type { Outlet } from '../commands.ts';
import type { Change } from './file-watch.ts';
import type { Serving } from './messages.ts';
import { routeChanges, routeTable } from './route-changes.ts';

type Style = Parameters<typeof styleText>[0];

const MOST_NAMED = 3;
const MARKS: Readonly<Record<string, Style>> = { '+': 'green', '-': 'red', '~': 'yellow' };

/** What whoever develops sees: a line for whatever happens, beside the lines of the gateway itself. */
export class Screen {
  readonly #out: Outlet;
  #routes: readonly ListedRoute[] | undefined = undefined;
  #fakes: readonly string[] = [];

  constructor(out: Outlet) {
    this.#out = out;
  }

  /** Whether there are colors. */
  get hasColor(): boolean {
    return this.#out.isTTY === true;
  }

  /** A line. */
  say(text: string, style: Style = 'cyan'): void {
    this.#out.write(`${this.#painted(style, 'dev')}  ${text}\n`);
  }

  /** What is wrong, and what goes on all the same. */
  fault(text: string, then: string): void {
    this.#out.write(`${text}\n`);
    this.say(then, 'red');
  }

  /** Which files have changed, and what comes of it. */
  changed(changes: readonly Change[], then: string): void {
    const names = changes.map(({ path }) => relative(process.cwd(), path));
    const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
    this.say(`${names.slice(0, MOST_NAMED).join(', ')}${more} changed: ${then}`);
  }

  /** All routes the first time, and later what is other. */
  serving({ routes, fakes }: Serving): void {
    if (this.#routes === undefined) this.#out.write(`\n${routeTable(routes)}\n`);
    else
      for (const line of routeChanges(this.#routes, routes))
        this.#out.write(`  ${this.#painted(MARKS[line.charAt(0)] ?? 'cyan', line)}\n`);
    this.#routes = routes;
    for (const line of fakes) if (!this.#fakes.includes(line)) this.say(line, 'magenta');
    for (const line of this.#fakes) if (!fakes.includes(line)) this.say(`no more: ${line}`, 'magenta');
    this.#fakes = fakes;
  }

  #painted(style: Style, text: string): string {
    return this.hasColor ? styleText(style, text, { validateStream: false }) : text;
  }
}
