import { Injectable } from '@nestjs/common';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import type { ActionDefinition, ActionKind, RouteAction } from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';
import { versionsSource, type UnknownVersionDefinition } from './versions.source.ts';

/** Routes that are several versions of one API; each is forwarded, and what is no version of it is refused. */
@Injectable()
export class VersionsKind implements ActionKind {
  static readonly source = versionsSource;
  readonly source = versionsSource;

  compile(definition: ActionDefinition): RouteAction {
    const extensions = { versions: (definition as UnknownVersionDefinition).versions };
    return {
      kind: 'versions',
      target: 'version-unknown',
      answer: (_exchange: Exchange, _route: Route, sink: AnswerSink): void =>
        sink.fail(new Problem('version-unknown', { extensions })),
      foresee: () => {
        throw new Problem('version-unknown', { extensions });
      },
    };
  }
}
