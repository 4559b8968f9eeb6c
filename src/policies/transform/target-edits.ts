import type { Exchange } from '../../exchange/exchange.ts';
import { foldName } from '../../exchange/reserved-names.ts';
import { below } from '../below-stage.ts';
import type { ResponseHead } from '../stage.ts';
import {
  compileHeaderEdits,
  editHeaders,
  type HeaderEditOptions,
  type HeaderEditor,
} from './header-edits.ts';

/** What is edited for targets that have all of some labels; none means every target. */
export interface TargetEditOptions {
  readonly labels: Readonly<Record<string, string>>;
  readonly request?: HeaderEditOptions | undefined;
  readonly response?: HeaderEditOptions | undefined;
}

interface LabeledEdits {
  readonly labels: readonly (readonly [string, string])[];
  readonly request: HeaderEditor | undefined;
  readonly response: HeaderEditor | undefined;
}

/** Edits of one route that depend on the target that is asked; one object for all exchanges. */
export class TargetEdits {
  /**
   * Folded names of the fields of a request that some target gets from the route. Fails closed: no target gets them from a
   * client, or one could say which target it is.
   */
  readonly folded: ReadonlySet<string>;
  readonly editsResponses: boolean;
  readonly #edits: readonly LabeledEdits[];

  /** @throws {StageFault} for a value that names nothing. */
  constructor(options: readonly TargetEditOptions[], parameters: readonly string[]) {
    const names = { parameters, hasTarget: true };
    const compile = (index: number, side: 'request' | 'response', edits: HeaderEditOptions = {}) =>
      below([index, side], () => compileHeaderEdits(edits, { ...names, refusesMissing: false }));
    this.#edits = options.map(({ labels, request, response }, index) => ({
      labels: Object.entries(labels),
      request: compile(index, 'request', request),
      response: compile(index, 'response', response),
    }));
    this.editsResponses = this.#edits.some(({ response }) => response !== undefined);
    this.folded = new Set(options.flatMap(({ request }) => givenNames(request)).map(foldName));
  }

  /** The fields of a request to the target that was just chosen: a list of its own, where anything is edited. */
  requestFields(fields: string[], exchange: Exchange): string[] {
    let edited = fields;
    for (const { labels, request } of this.#edits) {
      if (request === undefined || !hasLabels(exchange, labels)) continue;
      if (edited === fields) edited = [...fields];
      editHeaders(edited, request.fixed ?? request.editsFor(exchange));
    }
    return edited;
  }

  /** Edits the head of what the target that was asked last has answered. */
  editResponse(exchange: Exchange, { headers }: ResponseHead): void {
    for (const { labels, response } of this.#edits) {
      if (response !== undefined && hasLabels(exchange, labels))
        editHeaders(headers, response.fixed ?? response.editsFor(exchange));
    }
  }
}

function givenNames({ setHeaders = {}, renameHeaders = {} }: HeaderEditOptions = {}): string[] {
  return [...Object.keys(setHeaders), ...Object.values(renameHeaders)];
}

function hasLabels({ targetLabels }: Exchange, labels: LabeledEdits['labels']): boolean {
  return targetLabels !== undefined && labels.every(([name, value]) => targetLabels[name] === value);
}
