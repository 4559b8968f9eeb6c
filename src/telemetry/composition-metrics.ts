import type { Registry } from 'prom-client';
import { DurationHistogram, type DurationCell } from './duration-histogram.ts';
import { FAILED, WELL, type Flow } from './flow.ts';
import type { Flows } from './flows.ts';
import { LabelCounter } from './label-counter.ts';

const BOUNDS_SECONDS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Sections of composed answers, and the calls that modules make. */
export class CompositionMetrics {
  readonly #sections: LabelCounter;
  readonly #sectionDuration: DurationHistogram;
  readonly #defects: LabelCounter;
  readonly #calls: LabelCounter;
  readonly #callDuration: DurationHistogram;
  readonly #cells = new Map<string, DurationCell>();
  readonly #flows: Flows;
  readonly #seen = new Map<string, Flow>();

  constructor(registry: Registry, flows: Flows) {
    this.#flows = flows;
    this.#sections = new LabelCounter(
      {
        name: 'gatehouse_view_sections_total',
        help: 'Sections of views, by how they ended.',
        labels: ['view', 'section', 'outcome'],
      },
      registry,
    );
    this.#sectionDuration = new DurationHistogram(
      {
        name: 'gatehouse_view_section_duration_seconds',
        help: 'Time of a section of a view from when it is first asked for until it has ended.',
        labels: ['view', 'section'],
        bounds: BOUNDS_SECONDS,
      },
      registry,
    );
    this.#defects = new LabelCounter(
      {
        name: 'gatehouse_view_section_defects_total',
        help: 'Errors that the code of sections threw: no faults of an upstream.',
        labels: ['view', 'section'],
      },
      registry,
    );
    this.#calls = new LabelCounter(
      {
        name: 'gatehouse_calls_total',
        help: 'Calls that modules declare, by how they ended: ok, or the code of a problem.',
        labels: ['call', 'outcome'],
      },
      registry,
    );
    this.#callDuration = new DurationHistogram(
      {
        name: 'gatehouse_call_duration_seconds',
        help: 'Time of a call that a module declares, what it waits for equal ones included.',
        labels: ['call'],
        bounds: BOUNDS_SECONDS,
      },
      registry,
    );
  }

  /** Counts how a section of a view ended. */
  sectionEnded(view: string, section: string, outcome: string, durationMs: number): void {
    this.#sections.count(view, section, outcome);
    const key = `${view}\n${section}`;
    let cell = this.#cells.get(key);
    if (cell === undefined) this.#cells.set(key, (cell = this.#sectionDuration.cell({ view, section })));
    cell.observe(durationMs / 1000);
    let flow = this.#seen.get(key);
    if (flow === undefined) this.#seen.set(key, (flow = this.#flows.of('section', `${view} ${section}`)));
    flow.count(durationMs, outcome === 'failed' || outcome === 'null' ? FAILED : WELL);
  }

  /** Counts an error that the code of a section threw. */
  sectionBroke(view: string, section: string): void {
    this.#defects.count(view, section);
  }

  /** Counts how a call ended. @param call its name, which the code has given it. */
  callEnded(call: string, outcome: string, durationMs: number): void {
    this.#calls.count(call, outcome);
    let cell = this.#cells.get(call);
    if (cell === undefined) this.#cells.set(call, (cell = this.#callDuration.cell({ call })));
    cell.observe(durationMs / 1000);
    let flow = this.#seen.get(call);
    if (flow === undefined) this.#seen.set(call, (flow = this.#flows.of('call', call)));
    flow.count(durationMs, outcome === 'ok' ? WELL : FAILED);
  }

  /** Shows nothing more of views that were routes of a configuration. */
  forget(views: ReadonlySet<string>): void {
    this.#sections.forget(views);
    this.#defects.forget(views);
    this.#sectionDuration.forget('view', views);
    for (const key of this.#cells.keys()) {
      const end = key.indexOf('\n');
      if (end === -1 || !views.has(key.slice(0, end))) continue;
      this.#cells.delete(key);
      this.#seen.delete(key);
      this.#flows.forget('section', [key.replace('\n', ' ')]);
    }
  }
}
