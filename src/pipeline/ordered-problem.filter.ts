import { Catch, Injectable, type ArgumentsHost } from '@nestjs/common';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { ProblemFilter } from '../problems/problem.filter.ts';
import { RouteTable } from '../routing/route-table.ts';

/** The stages whose refusals come before anything that is wrong with a body. */
const BEFORE_BODY: ReadonlySet<string> = new Set(['identify', 'authorize', 'limit']);

/**
 * Stage 13 for the code-first door, in the order of the walk. Fastify reads a body before any guard runs. When it
 * refuses one, the stages that come earlier speak first: who may not call is told that, and nothing of the body.
 */
@Catch()
@Injectable()
export class OrderedProblemFilter extends ProblemFilter {
  constructor(private readonly table: RouteTable) {
    super();
  }

  override catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType<string>() !== 'http' || error instanceof Problem) return super.catch(error, host);
    const { exchange } = host.switchToHttp().getRequest<{ readonly exchange: Exchange }>();
    if (exchange.route !== undefined) return super.catch(error, host);
    this.#walk(exchange).then(
      () => super.catch(error, host),
      (earlier: unknown) => super.catch(earlier, host),
    );
  }

  async #walk(exchange: Exchange): Promise<void> {
    const { stages } = this.table.match(exchange);
    for (const stage of stages) if (BEFORE_BODY.has(stage.name)) await stage.enter?.(exchange);
  }
}
