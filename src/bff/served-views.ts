import type { Type } from '@nestjs/common';
import type { Call } from '../calls/call.ts';
import { handlersOf } from '../routing/sources/controller.route-source.ts';
import type { RunnableView } from './view-run.ts';

/** A handler that answers with a view. */
export interface ServedView {
  /** `HomepageController.show`, for messages. */
  readonly origin: string;
  readonly view: RunnableView;
}

const SERVED_VIEWS = Symbol('gatehouse:served-views');

/** Says that a handler answers with a view, in one of its shapes. */
export function noteServedViews(handler: object, views: readonly RunnableView[]): void {
  Reflect.defineMetadata(SERVED_VIEWS, views, handler);
}

/** The views that the handlers of a controller say that they answer with. */
export function servedViews(controller: Type): readonly ServedView[] {
  return handlersOf(controller).flatMap(([name, handler]) => {
    const views = Reflect.getMetadata(SERVED_VIEWS, handler) as readonly RunnableView[] | undefined;
    return (views ?? []).map((view) => ({ origin: `${controller.name}.${name}`, view }));
  });
}

/** The calls that the sections of a view are declared with, those of views within it included. */
export function callsOfView({ sections }: RunnableView): readonly Call<never, unknown>[] {
  return sections.flatMap(({ source, element, nested }) => [
    ...[source ?? element ?? []].flat(),
    ...(nested === undefined ? [] : callsOfView(nested)),
  ]);
}
