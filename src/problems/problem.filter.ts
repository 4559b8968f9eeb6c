import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { problemOf } from './http-exceptions.ts';
import { renderProblem, type ProblemTarget } from './render-problem.ts';

interface HttpRequest {
  readonly exchange: ProblemTarget;
}

interface HttpReply {
  hijack(): void;
}

/** Stage 13 for the code-first door: renders whatever a guard, interceptor, handler or Fastify itself threw. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const problem = problemOf(error);
    // GraphQL reports errors in its own answer.
    if (host.getType<string>() === 'graphql') throw problem;
    const http = host.switchToHttp();
    http.getResponse<HttpReply>().hijack();
    renderProblem(http.getRequest<HttpRequest>().exchange, problem);
  }
}
